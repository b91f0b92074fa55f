import type { ReactNode } from "react";

import { formatMoney, formatNumber, formatPercent } from "../format";
import { isLong } from "../dashboard/period-card";
import { LiveBadge } from "../live/live-badge";
import { Card, EmptyState, ErrorState, Skeleton, Stat } from "../ui/ui";
import { AtRisk } from "./at-risk";
import { IngestHealth } from "./ingest-health";
import { Spenders } from "./spenders";
import { StripeHealth } from "./stripe-health";
import { useOverview, type Overview } from "./use-overview";

export type TeamLink = (teamId: string, name: string) => ReactNode;

/** All teams: what they cost together, who spends most and grows most, whose budget is at risk, and whether all is well. */
export function TeamsOverview({ teamLink = (_, name) => name }: { teamLink?: TeamLink }) {
  const { overview, live } = useOverview();
  const { data } = overview;
  if (!data && overview.error) return <ErrorState error={overview.error} onRetry={() => void overview.refetch()} />;
  if (!data) return <Waiting />;
  if (data.teams === 0) return <Empty live={<LiveBadge live={live} />} />;
  return (
    <div className="ts-root ts-stack ts-overview">
      <div className="ts-row ts-spread">
        <p className="ts-period ts-muted">
          {formatNumber(data.teams)} {data.teams === 1 ? "team" : "teams"}
          {data.pending_teams > 0 && `; ${formatNumber(data.pending_teams)} of them are being added up`}
        </p>
        <LiveBadge live={live} />
      </div>
      {overview.error && (
        <p className="ts-notice" role="status">
          What follows is from before: {overview.error.message}
        </p>
      )}
      <Totals overview={data} />
      <div className="ts-columns">
        <div className="ts-stack">
          <Spenders title="Top spenders" hint="By cost in the running period" all={data.top} empty="A team appears here once its usage has a price." teamLink={teamLink} />
          <Spenders title="Fastest growing" hint="Projected cost against the period before" all={data.growing.filter((each) => each.growth !== null)} empty="There is no whole period to compare with yet." teamLink={teamLink} />
        </div>
        <div className="ts-stack">
          <AtRisk all={data.at_risk} teamLink={teamLink} />
          <IngestHealth ingest={data.ingest} />
          <StripeHealth stripe={data.stripe} />
        </div>
      </div>
    </div>
  );
}

function Totals({ overview }: { overview: Overview }) {
  const { alerts, ingest, totals } = overview;
  return (
    <Card className="ts-period-card">
      <dl className="ts-stats">
        {totals.map((each) => (
          <Stat
            key={each.currency}
            long={isLong(each.cost)}
            label={totals.length > 1 ? `Cost so far, ${each.currency}` : "Cost so far"}
            value={<span data-value={each.cost}>{formatMoney(each.cost, each.currency)}</span>}
            hint={`${formatNumber(each.teams)} ${each.teams === 1 ? "team" : "teams"}; ${formatMoney(each.projected, each.currency)} at this pace${each.growth === null ? "" : `, ${growthText(each.growth)}`}`}
          />
        ))}
        <Stat label="Events in the last hour" value={formatNumber(ingest.events_last_hour)} hint={`${formatNumber(ingest.waiting_events)} wait to be added up`} />
        <Stat
          label="Teams over a limit"
          value={formatNumber(alerts.teams_exceeded)}
          hint={`${formatNumber(alerts.teams_warned)} near one, ${formatNumber(alerts.active)} active ${alerts.active === 1 ? "alert" : "alerts"}`}
          tone={alerts.teams_exceeded > 0 ? "bad" : undefined}
        />
        <Stat
          label="Dead letters"
          value={formatNumber(ingest.dead_letters)}
          hint={ingest.dead_letters > 0 ? "wait to be repaired" : "every event was taken"}
          tone={ingest.dead_letters > 0 ? "warn" : undefined}
        />
      </dl>
    </Card>
  );
}

/** Percent text, as the server says it. */
export function growthText(growth: string): string {
  return formatPercent(Number(growth) / 100, { sign: true });
}

function Empty({ live }: { live: ReactNode }) {
  return (
    <div className="ts-root ts-stack">
      <div className="ts-row ts-spread">
        <span />
        {live}
      </div>
      <Card>
        <EmptyState title="This installation is empty, and ready">
          <p>Track the first event, and it appears here within two seconds:</p>
          <pre className="ts-code" tabIndex={0}>
            {`curl ${location.origin}/api/usage/track \\\n  -H "Authorization: Bearer $KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '{"team_id": "acme", "event_name": "api_call",\n       "quantity": "1", "idempotency_key": "first"}'`}
          </pre>
          <p>
            What is counted and what it costs is described in a billing file: <code className="ts-mono">tallystick init api-calls</code>{" "}
            writes one to begin with.
          </p>
        </EmptyState>
      </Card>
    </div>
  );
}

function Waiting() {
  return (
    <div className="ts-root ts-stack" aria-busy="true" aria-label="The overview is being fetched">
      <Skeleton height={24} width={160} />
      <Skeleton height={112} />
      <Skeleton height={360} />
      <Skeleton height={240} />
    </div>
  );
}

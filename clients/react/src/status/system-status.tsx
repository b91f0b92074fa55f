import { useQuery } from "@tanstack/react-query";

import type { Problem } from "../api/problem";
import type { Schema } from "../api/types";
import { TrendChart } from "../charts/trend-chart";
import { useApi } from "../context";
import { formatCompact, formatInstant, formatNumber, formatTick } from "../format";
import { LiveBadge } from "../live/live-badge";
import { IngestHealth } from "../overview/ingest-health";
import { StripeHealth } from "../overview/stripe-health";
import { useOverview, type Overview } from "../overview/use-overview";
import { Badge, Card, EmptyState, ErrorState, Skeleton, Time } from "../ui/ui";

/** Whether the parts of the system do what they should: server, database, ingest, dead letters, Stripe. */
export function SystemStatus() {
  const { overview, live } = useOverview();
  return (
    <div className="ts-root ts-stack ts-overview">
      <div className="ts-row ts-spread">
        <Readiness />
        <LiveBadge live={live} />
      </div>
      {overview.data ? <Parts overview={overview.data} /> : overview.error ? <ErrorState error={overview.error} onRetry={() => void overview.refetch()} /> : <Skeleton height={420} />}
    </div>
  );
}

function Parts({ overview }: { overview: Overview }) {
  const { ingest } = overview;
  return (
    <>
      <Card title="Events a minute" hint="By when they were stored, in the last hour">
        {ingest.per_minute.length === 0 ? (
          <EmptyState title="No event in the last hour" />
        ) : (
          <TrendChart
            label="Events a minute"
            ticks={ingest.per_minute.map((each) => formatTick(each.at, "minute"))}
            names={ingest.per_minute.map((each) => formatInstant(each.at))}
            series={[{ name: "events", values: ingest.per_minute.map((each) => String(each.events)) }]}
            format={(text) => `${formatNumber(text)} events`}
            formatAxis={formatCompact}
            height={180}
          />
        )}
      </Card>
      <div className="ts-columns">
        <DeadLetters />
        <div className="ts-stack">
          <IngestHealth ingest={ingest} />
          <StripeHealth stripe={overview.stripe} />
        </div>
      </div>
    </>
  );
}

function Readiness() {
  const api = useApi();
  const ready = useQuery<unknown, Problem>({
    queryKey: ["tallystick", "ready"],
    refetchInterval: 15_000,
    queryFn: ({ signal }) => api.get("/health/ready", undefined, { signal }),
  });
  if (ready.isPending) return <Badge>Asking…</Badge>;
  return (
    <span className="ts-row">
      <Badge tone={ready.error ? "bad" : "good"}>{ready.error ? "Not ready" : "Server and database answer"}</Badge>
      {ready.error && <span className="ts-muted">{ready.error.detail}</span>}
    </span>
  );
}

function DeadLetters() {
  const api = useApi();
  const letters = useQuery<Schema<"DeadLetterPage">, Problem>({
    queryKey: ["tallystick", "dead-letters", "waiting"],
    queryFn: ({ signal }) => api.get("/api/usage/dead-letters", { state: "waiting", limit: 20 }, { signal }),
  });
  return (
    <Card title="Dead letters" hint="Events that were rejected and wait to be repaired; the latest 20">
      {letters.error && !letters.data && <ErrorState error={letters.error} onRetry={() => void letters.refetch()} />}
      {!letters.data && !letters.error && <Skeleton height={160} />}
      {letters.data?.data.length === 0 && <EmptyState title="None">Every event that came was taken.</EmptyState>}
      {letters.data && letters.data.data.length > 0 && (
        <div className="ts-scroll" tabIndex={0} role="region" aria-label="Dead letters">
          <table className="ts-table">
            <thead>
              <tr>
                <th scope="col">Last seen</th>
                <th scope="col">Team</th>
                <th scope="col">Why</th>
              </tr>
            </thead>
            <tbody>
              {letters.data.data.map((each) => (
                <tr key={each.id}>
                  <td>
                    <Time at={each.last_seen_at} relative />
                  </td>
                  <td>{each.team_id ?? "–"}</td>
                  <td>
                    <Badge tone="warn">{each.code}</Badge> <span className="ts-muted">{each.message}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

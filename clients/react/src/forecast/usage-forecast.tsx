import type { Report } from "../api/types";
import { compare, round, toNumber } from "../decimal";
import { formatDay, formatMoney, formatPercent } from "../format";
import { useForecast, type Forecast } from "../hooks/use-forecast";
import { useTeamId } from "../context";
import { LiveBadge } from "../live/live-badge";
import { useAlertStatus } from "../dashboard/alert-status";
import { Badge, Card, EmptyState, ErrorState, Meter, Money, Num, Scroll, Skeleton, Stat } from "../ui/ui";

export type UsageForecastProps = { teamId?: string | null; live?: boolean };

/** Where the running period leads: its cost at this pace, budgets against it, and what could be done. */
export function UsageForecast({ teamId, live = true }: UsageForecastProps) {
  const team = useTeamId(teamId);
  const { forecast, report, live: stream, error, refetch } = useForecast({ teamId: team, live });
  if (!team) return <EmptyState title="No team is chosen" />;
  if (error && !report) return <ErrorState error={error} onRetry={() => void refetch()} />;
  if (!forecast || !report) return <Waiting />;
  return (
    <div className="ts-root ts-stack ts-dashboard">
      <div className="ts-row ts-spread">
        <p className="ts-period ts-muted">
          {formatPercent(report.current_period.elapsed)} of the period has passed; it ends on{" "}
          {formatDay(report.current_period.end, report.time_zone)}.
        </p>
        {live && <LiveBadge live={stream} />}
      </div>
      <Projection forecast={forecast} report={report} />
      <div className="ts-dashboard-middle">
        <ByMetric forecast={forecast} report={report} />
        <Budgets teamId={team} report={report} />
      </div>
      <Card title="Tips">
        <EmptyState title="No tips yet">They need a history of some periods to compare with, and none is given yet.</EmptyState>
      </Card>
    </div>
  );
}

function Projection({ forecast, report }: { forecast: Forecast; report: Report }) {
  const { currency, total } = report.current_period;
  const share = forecast.total && total && toNumber(forecast.total) > 0 ? toNumber(total) / toNumber(forecast.total) : 0;
  return (
    <Card className="ts-period-card" title="This period" hint="At the pace it had so far: no trend, no season">
      <dl className="ts-stats">
        <Stat label="Projected cost" value={<span data-value={forecast.total ?? undefined}>{formatMoney(forecast.total, currency)}</span>} hint={method(forecast)} />
        <Stat label="Cost so far" value={formatMoney(total, currency)} hint={`${formatPercent(share)} of the projection`} />
        <Stat label="Interval" value="–" hint="A run rate has none" />
      </dl>
      <Meter value={share} label="Cost so far as a part of what is projected" />
    </Card>
  );
}

function method(forecast: Forecast): string {
  if (forecast.total === null) return "nothing to go by yet";
  return forecast.method === "run_rate" ? "run rate: so far ÷ elapsed time" : forecast.method;
}

function ByMetric({ forecast, report }: { forecast: Forecast; report: Report }) {
  const { currency } = report.current_period;
  return (
    <Card title="By metric">
      {forecast.metrics.length === 0 ? (
        <EmptyState title="Nothing is metered yet" />
      ) : (
        <Scroll label="By metric">
          <table className="ts-table ts-metrics">
            <thead>
              <tr>
                <th scope="col">Metric</th>
                <th scope="col" className="ts-right ts-wide">Usage so far</th>
                <th scope="col" className="ts-right">Usage at the end</th>
                <th scope="col" className="ts-right">Cost at the end</th>
              </tr>
            </thead>
            <tbody>
              {forecast.metrics.map((each) => (
                <tr key={each.metric}>
                  <th scope="row">{each.metric}</th>
                  <td className="ts-right ts-wide">
                    <Num value={each.usage} unit={each.unit} />
                  </td>
                  <td className="ts-right">
                    <span title={each.projected ?? undefined}>
                      <Num value={each.projected && estimate(each.projected)} unit={each.unit} />
                    </span>
                  </td>
                  <td className="ts-right">
                    <Money amount={each.projectedCost} currency={currency} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}

/** Usage that is only foreseen has no use for more than two digits after the point. */
function estimate(text: string): string {
  return round(text, 2).replace(/\.?0+$/, (zeros) => (text.includes(".") ? "" : zeros));
}

/** Alerts about the period's cost are its budgets. */
function Budgets({ teamId, report }: { teamId: string; report: Report }) {
  const status = useAlertStatus(teamId);
  const { currency, total, projected_total: projected } = report.current_period;
  const budgets = status.data?.data.filter((each) => each.unit === currency && each.kind.startsWith("cost")) ?? [];
  return (
    <Card title="Budgets" hint="Alerts on cost, against the projection">
      {status.isLoading && <Skeleton height={120} />}
      {status.error && !status.data && <ErrorState error={status.error} onRetry={() => void status.refetch()} />}
      {status.data && budgets.length === 0 && (
        <EmptyState title="No budget is set">An alert on the cost of the period is one.</EmptyState>
      )}
      <ul className="ts-alerts">
        {budgets.map((each) => {
          const limit = toNumber(each.threshold_value) || 1;
          const value = each.value ?? total;
          const over = projected !== null && compare(projected, each.threshold_value) > 0;
          return (
            <li key={each.alert_id}>
              <div className="ts-row ts-spread">
                <span>{each.name}</span>
                <Badge tone={over ? "warn" : "good"}>{over ? "will be passed" : "will hold"}</Badge>
              </div>
              <Meter
                value={toNumber(value) / limit}
                tone={over ? "warn" : "good"}
                label={`${each.name}: spent`}
                marks={projected && toNumber(projected) <= limit ? [{ at: toNumber(projected) / limit, label: `projected ${formatMoney(projected, currency)}` }] : []}
              />
              <p className="ts-muted ts-small">
                {formatMoney(value, currency)} of {formatMoney(each.threshold_value, currency)}; {formatMoney(projected, currency)} projected
              </p>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

function Waiting() {
  return (
    <div className="ts-root ts-stack" aria-busy="true">
      <Skeleton height={24} width={320} />
      <Skeleton height={150} />
      <Skeleton height={240} />
    </div>
  );
}

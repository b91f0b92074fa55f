import { useState, type ReactNode } from "react";

import { ErrorState, EmptyState, Skeleton } from "../ui/ui";
import { useCurrentUsage } from "../hooks/use-usage";
import { LiveBadge } from "../live/live-badge";
import { formatDay } from "../format";
import { AlertStatus } from "./alert-status";
import { MetricsCard } from "./metrics-card";
import { Notices } from "./notices";
import { PeriodCard } from "./period-card";
import { DEFAULT_VIEW, TrendCard, type TrendView } from "./trend-card";

export type UsageDashboardProps = {
  teamId?: string | null;
  /** What the trend shows; kept within the component unless the host keeps it, say in its address. */
  view?: Partial<TrendView>;
  onViewChange?: (change: Partial<TrendView>) => void;
  /** Whether numbers move by themselves. */
  live?: boolean;
  /** Beside the period, at the top. */
  actions?: ReactNode;
};

/** A team's usage and cost in the running period as they move, their trend, and how its alerts stand. */
export function UsageDashboard({ teamId, view, onViewChange, live = true, actions }: UsageDashboardProps) {
  const { team, report, stream, current } = useCurrentUsage({ teamId, live });
  const [own, setOwn] = useState<TrendView>(DEFAULT_VIEW);
  const shown: TrendView = { ...own, ...view };
  const change = (next: Partial<TrendView>) => (onViewChange ? onViewChange(next) : setOwn((before) => ({ ...before, ...next })));

  if (!team) return <EmptyState title="No team is chosen">Name one with <code>teamId</code>, or use a token that is for one team.</EmptyState>;
  if (report.error && !current) return <ErrorState error={report.error} onRetry={() => void report.refetch()} />;
  if (!current) return <Waiting />;
  return (
    <div className="ts-root ts-stack ts-dashboard">
      <div className="ts-row ts-spread">
        <p className="ts-period">
          <span className="ts-hidden">{current.team_name}, </span>
          <span className="ts-muted">
            {formatDay(current.current_period.start, current.time_zone)} to {formatDay(before(current.current_period.end), current.time_zone)}
            {current.plan ? ` · plan ${current.plan}` : " · not subscribed"}
          </span>
        </p>
        <div className="ts-row">
          {live && <LiveBadge live={stream} />}
          {actions}
        </div>
      </div>
      <Notices report={current} problem={report.error} />
      <PeriodCard report={current} />
      <div className="ts-dashboard-middle">
        <MetricsCard report={current} selected={shown.metric} onSelect={(metric) => change({ metric, group: "" })} />
        <AlertStatus teamId={team} />
      </div>
      <TrendCard teamId={team} report={current} view={shown} onChange={change} />
    </div>
  );
}

/** The last moment of what ends then: a period that ends at midnight ends with the day before. */
function before(end: string): Date {
  return new Date(Date.parse(end) - 1);
}

function Waiting() {
  return (
    <div className="ts-root ts-stack" aria-busy="true" aria-label="Usage is being fetched">
      <Skeleton height={24} width={320} />
      <Skeleton height={132} />
      <Skeleton height={240} />
      <Skeleton height={340} />
    </div>
  );
}

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef } from "react";

import type { DecimalText, MetricReport, Report } from "../api/types";
import { useTeamId } from "../context";
import type { LiveUsage } from "../live/types";
import { useLive } from "../live/use-live";
import { useReport, type ReportOptions } from "./use-report";

export type UsageOptions = Pick<ReportOptions, "teamId" | "metrics"> & {
  /** Whether numbers move by themselves. */
  live?: boolean;
};

export type MetricUsage = {
  metric: string;
  unit: string;
  aggregation: string;
  usage: DecimalText | null;
  cost: DecimalText | null;
  projected: DecimalText | null;
  projectedCost: DecimalText | null;
  reason: string | null;
};

const REFRESH_MS = 5_000;

/** The report of the current period, its live stream, and the two in one picture. */
export function useCurrentUsage({ teamId, metrics, live = true }: UsageOptions = {}) {
  const team = useTeamId(teamId);
  const report = useReport({ teamId: team, metrics });
  const refresh = useRefresh(team);
  const stream = useLive(team, { onUsage: refresh, onAlert: refresh }, live && team !== null);
  const usage = stream.usage?.team_id === team ? stream.usage : null;
  return { team, report, stream, current: report.data ? withLive(report.data, usage) : undefined };
}

/** Usage of each metric in the current period, moving as events arrive. */
export function useUsageMetrics(options: UsageOptions = {}) {
  const { report, stream, current } = useCurrentUsage(options);
  return { metrics: current?.metrics.map(metricUsage) ?? [], live: stream, ...status(report) };
}

/** What the current period costs so far, what it comes to, and each metric's part of it. */
export function useUsageCosts(options: UsageOptions = {}) {
  const { report, stream, current } = useCurrentUsage(options);
  const period = current?.current_period;
  return {
    total: period?.total ?? null,
    projected: period?.projected_total ?? null,
    currency: period?.currency ?? null,
    period: period ? { start: period.start, end: period.end, elapsed: period.elapsed } : null,
    metrics: current?.metrics.map(metricUsage) ?? [],
    live: stream,
    ...status(report),
  };
}

/** What a report says, with the numbers of the stream where these are newer. */
export function withLive(report: Report, live: LiveUsage | null): Report {
  if (!live || Date.parse(live.at) < Date.parse(report.as_of)) return report;
  if (Date.parse(live.period.start) !== Date.parse(report.current_period.start)) return report;
  const told = new Map(live.metrics.map((each) => [each.metric, each]));
  const all = report.metrics.length === told.size;
  return {
    ...report,
    as_of: live.at,
    current_period: all
      ? { ...report.current_period, total: live.cost, projected_total: live.projected ?? report.current_period.projected_total }
      : report.current_period,
    metrics: report.metrics.map((each) => {
      const now = told.get(each.metric);
      if (!now) return each;
      const { cost } = each.current_period;
      return {
        ...each,
        current_period: {
          ...each.current_period,
          usage: now.quantity,
          events: now.events ?? each.current_period.events,
          cost: cost && now.cost !== null ? { ...cost, total: now.cost } : cost,
        },
      };
    }),
  };
}

export function metricUsage(metric: MetricReport): MetricUsage {
  const { current_period: period } = metric;
  return {
    metric: metric.metric,
    unit: metric.unit,
    aggregation: metric.aggregation,
    usage: period.usage,
    cost: period.cost?.total ?? null,
    projected: period.projection?.usage ?? null,
    projectedCost: period.projection?.cost ?? null,
    reason: period.reason,
  };
}

/** Fetches reports of the team again, at most every few seconds however often the stream moves. */
function useRefresh(team: string | null): () => void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      void queries.invalidateQueries({ queryKey: ["tallystick", "report", team] });
      void queries.invalidateQueries({ queryKey: ["tallystick", "alert-status", team] });
    }, REFRESH_MS);
  }, [queries, team]);
}

function status(report: ReturnType<typeof useReport>) {
  return { isLoading: report.isLoading, error: report.error, refetch: report.refetch };
}

import { keepPreviousData, useQuery, type UseQueryResult } from "@tanstack/react-query";

import type { Problem } from "../api/problem";
import type { Report } from "../api/types";
import { useApi, useTeamId } from "../context";

export type ReportOptions = {
  teamId?: string | null;
  /** By name; every metric if none is given. */
  metrics?: readonly string[];
  /** `current`, or a month (`2026-03`), date or instant that the billing period holds. */
  period?: string;
  from?: string;
  to?: string;
  window?: "minute" | "hour" | "day" | "month";
  groupBy?: readonly string[];
  /** Ask only when true. */
  enabled?: boolean;
};

export function reportKey(teamId: string | null, options: ReportOptions = {}) {
  const { metrics, period, from, to, window, groupBy } = options;
  return ["tallystick", "report", teamId, { metrics, period, from, to, window, groupBy }] as const;
}

/** `GET /api/usage/report`: usage, cost and projection of a period, and the history of an interval. */
export function useReport(options: ReportOptions = {}): UseQueryResult<Report, Problem> {
  const api = useApi();
  const teamId = useTeamId(options.teamId);
  return useQuery<Report, Problem>({
    queryKey: reportKey(teamId, options),
    enabled: teamId !== null && options.enabled !== false,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      api.get<Report>(
        "/api/usage/report",
        {
          team_id: teamId,
          metric: options.metrics,
          period: options.period,
          from: options.from,
          to: options.to,
          window: options.window,
          group_by: options.groupBy,
        },
        { signal },
      ),
  });
}

import type { DecimalText } from "../api/types";
import { metricUsage, useCurrentUsage, type MetricUsage, type UsageOptions } from "./use-usage";

export type Forecast = {
  /** How it was made: `run_rate` is usage so far ÷ elapsed time × whole period. */
  method: string;
  total: DecimalText | null;
  /** From the 10th to the 90th of a hundred; null while the server gives none. */
  interval: { low: DecimalText; high: DecimalText } | null;
  metrics: MetricUsage[];
};

/** Where the current period leads. */
export function useForecast(options: UsageOptions = {}) {
  const { report, stream, current } = useCurrentUsage(options);
  const methods = current?.metrics.flatMap((each) => each.current_period.projection?.method ?? []) ?? [];
  const forecast: Forecast | null = current
    ? {
        method: methods[0] ?? "run_rate",
        total: current.current_period.projected_total,
        interval: null,
        metrics: current.metrics.map(metricUsage),
      }
    : null;
  return { forecast, report: current, live: stream, isLoading: report.isLoading, error: report.error, refetch: report.refetch };
}

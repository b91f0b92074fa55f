/** Components and hooks for usage, its cost, its forecast and its bill. */

export { Api, type ApiOptions, type Query, type Token } from "./api/client";
export { Problem } from "./api/problem";
export type { DecimalText, MetricReport, Report, Schema, Session } from "./api/types";
export {
  newQueryClient,
  TallystickProvider,
  useApi,
  useTallystick,
  useTeamId,
  type TallystickProviderProps,
} from "./context";
export * from "./format";
export * from "./ui";
export { TrendChart, type ChartSeries, type ChartThreshold, type TrendChartProps } from "./charts/trend-chart";
export { Sparkline } from "./charts/sparkline";
export { LiveBadge } from "./live/live-badge";
export type { LiveAlert, LiveMetric, LiveTouched, LiveUsage } from "./live/types";
export { useLive, type LiveHandlers, type LiveState } from "./live/use-live";
export { useForecast, type Forecast } from "./hooks/use-forecast";
export { useReport, type ReportOptions } from "./hooks/use-report";
export { useUsageCosts, useUsageMetrics, type MetricUsage, type UsageOptions } from "./hooks/use-usage";
export { useUsageTracking, type UsageEvent } from "./hooks/use-usage-tracking";
export { UsageDashboard, type UsageDashboardProps } from "./dashboard/usage-dashboard";
export { UsageForecast, type UsageForecastProps } from "./forecast/usage-forecast";
export { TeamsOverview } from "./overview/teams-overview";
export { CatalogueView } from "./catalogue/catalogue-view";
export { SystemStatus } from "./status/system-status";
export * from "./events";
export * from "./statement";
export * from "./alerts";

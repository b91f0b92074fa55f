import { useQuery } from "@tanstack/react-query";

import type { Problem } from "../api/problem";
import type { Report } from "../api/types";
import { TrendChart } from "../charts/trend-chart";
import { useApi } from "../context";
import { toNumber } from "../decimal";
import { formatCompact, formatNumber, formatTick, formatWindow } from "../format";
import { useReport } from "../hooks/use-report";
import { Card, EmptyState, ErrorState, Field, Segmented, Select, Skeleton } from "../ui/ui";
import { dimensionsOf, seriesOf, since, STACKED, WINDOWS, type TrendWindow } from "./trend";
import { TrendTable } from "./trend-table";

export type TrendView = { window: string; metric: string; group: string };

export const DEFAULT_VIEW: TrendView = { window: "day", metric: "", group: "" };
const HEIGHT = 260;

type TrendCardProps = { teamId: string; report: Report; view: TrendView; onChange: (change: Partial<TrendView>) => void };

/** The usage of one metric by hour, day or month, apart by a dimension if one is chosen. */
export function TrendCard({ teamId, report, view, onChange }: TrendCardProps) {
  const metric = report.metrics.find((each) => each.metric === view.metric) ?? busiest(report);
  const window: TrendWindow = isWindow(view.window) ? view.window : "day";
  const dimensions = useDimensions(metric?.metric);
  const group = dimensions.includes(view.group) ? view.group : "";
  const trend = useReport({
    teamId,
    metrics: metric ? [metric.metric] : [],
    window,
    from: since(window, report.as_of, report.time_zone),
    groupBy: group ? [group] : [],
    enabled: metric !== undefined,
  });
  if (!metric) return null;
  const history = trend.data?.metrics.find((each) => each.metric === metric.metric);
  return (
    <Card
      title={`Trend of ${metric.metric}`}
      hint={`${metric.unit} by ${window}, in ${report.time_zone}`}
      actions={
        <>
          <Field label="Metric" hideLabel>
            <Select value={metric.metric} onChange={(event) => onChange({ metric: event.target.value, group: "" })}>
              {report.metrics.map((each) => (
                <option key={each.metric}>{each.metric}</option>
              ))}
            </Select>
          </Field>
          {dimensions.length > 0 && (
            <Field label="Group by" hideLabel>
              <Select value={group} onChange={(event) => onChange({ group: event.target.value })}>
                <option value="">all together</option>
                {dimensions.map((each) => (
                  <option key={each} value={each}>
                    by {each}
                  </option>
                ))}
              </Select>
            </Field>
          )}
          <Segmented label="By" options={WINDOWS} value={window} onChange={(next) => onChange({ window: next })} />
        </>
      }
    >
      <div className="ts-trend" style={{ minHeight: HEIGHT + 20 }}>
        {trend.error && !history ? (
          <ErrorState error={trend.error} onRetry={() => void trend.refetch()} />
        ) : history && trend.data ? (
          <Trend
            label={`${metric.metric} by ${window}`}
            unit={metric.unit}
            window={trend.data.history.window}
            zone={report.time_zone}
            asOf={report.as_of}
            stacked={STACKED.has(metric.aggregation)}
            series={history.history}
          />
        ) : (
          <Skeleton height={HEIGHT} />
        )}
      </div>
    </Card>
  );
}

type TrendProps = {
  label: string;
  unit: string;
  window: string;
  zone: string;
  asOf: string;
  stacked: boolean;
  series: Report["metrics"][number]["history"];
};

function Trend({ label, unit, window, zone, asOf, stacked, series }: TrendProps) {
  const { points, shown } = seriesOf(series, stacked);
  if (points.length === 0) return <EmptyState title="Nothing was used here">Other windows may have usage.</EmptyState>;
  const names = points.map((each) => formatWindow(each.start, window, zone));
  const open = points.findIndex((each) => Date.parse(each.end) > Date.parse(asOf));
  return (
    <>
      <TrendChart
        label={label}
        ticks={points.map((each) => formatTick(each.start, window, zone))}
        names={names}
        series={shown}
        kind={stacked ? "bars" : "line"}
        height={HEIGHT}
        openFrom={open < 0 ? undefined : open}
        format={(text) => `${formatNumber(text)} ${unit}`}
        formatAxis={formatCompact}
      />
      <TrendTable names={names} series={shown} unit={unit} />
    </>
  );
}

/** What costs most; of what costs the same, what happens most. */
function busiest(report: Report) {
  const cost = (each: Report["metrics"][number]) => toNumber(each.current_period.cost?.total);
  return [...report.metrics].sort(
    (left, right) => cost(right) - cost(left) || right.current_period.events - left.current_period.events,
  )[0];
}

function isWindow(text: string): text is TrendWindow {
  return WINDOWS.some((each) => each.value === text);
}

/** The dimensions that a metric keeps apart. */
function useDimensions(metric: string | undefined): string[] {
  const api = useApi();
  const meters = useQuery<unknown, Problem>({
    queryKey: ["tallystick", "meters"],
    staleTime: 300_000,
    queryFn: ({ signal }) => api.get("/api/v1/meters", { pageSize: 1000 }, { signal }),
  });
  return metric ? dimensionsOf(meters.data, metric) : [];
}

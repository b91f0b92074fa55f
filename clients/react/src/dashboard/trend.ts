import type { Report } from "../api/types";
import type { ChartSeries } from "../charts/trend-chart";
import { add, toNumber } from "../decimal";

export type TrendWindow = "hour" | "day" | "month";

export const WINDOWS: readonly { value: TrendWindow; label: string }[] = [
  { value: "hour", label: "Hour" },
  { value: "day", label: "Day" },
  { value: "month", label: "Month" },
];

/** Aggregations whose groups add up, so that stacking them is true. */
export const STACKED: ReadonlySet<string> = new Set(["sum", "count", "time_weighted"]);

const MOST_SERIES = 7;
const HOUR = 3_600_000;

/** Where a trend begins: two days of hours, 30 days, or 12 months before now, in the team's zone. */
export function since(window: TrendWindow, now: string, timeZone: string): string {
  if (window === "hour") return new Date(Math.floor(Date.parse(now) / HOUR) * HOUR - 47 * HOUR).toISOString();
  const [year, month, day] = localDay(now, timeZone);
  const from = window === "day" ? new Date(Date.UTC(year, month - 1, day - 29)) : new Date(Date.UTC(year, month - 12, 1));
  return from.toISOString().slice(0, 10);
}

function localDay(at: string, timeZone: string): [number, number, number] {
  const shown = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(at));
  const [year, month, day] = shown.split("-").map(Number);
  return [year!, month!, day!];
}

type Histories = Report["metrics"][number]["history"];
type Point = { start: string; end: string };

/** The points of a history, and the largest series by name; where they add up, the small ones are one. */
export function seriesOf(history: Histories, stacked: boolean): { points: Point[]; shown: ChartSeries[] } {
  const points = history[0]?.windows ?? [];
  const all = history
    .map((each) => ({ name: nameOf(each.dimensions), values: each.windows.map((window) => window.usage) }))
    .map((each) => ({ ...each, size: each.values.reduce((sum, value) => sum + toNumber(value), 0) }))
    .sort((left, right) => right.size - left.size || left.name.localeCompare(right.name));
  const shown = all.slice(0, MOST_SERIES);
  const rest = all.slice(MOST_SERIES);
  if (stacked && rest.length > 0) {
    const values = points.map((_, at) => add(...rest.map((each) => each.values[at] ?? "0")));
    shown.push({ name: `${rest.length} others`, values, size: 0 });
  }
  return { points, shown };
}

function nameOf(dimensions: Record<string, string | null>): string {
  const values = Object.values(dimensions);
  return values.length ? values.map((value) => value ?? "(none)").join(", ") : "usage";
}

/** What `GET /api/v1/meters` says a metric can be grouped by. */
export function dimensionsOf(meters: unknown, metric: string): string[] {
  if (!Array.isArray(meters)) return [];
  const found: unknown = meters.find((each: { slug?: string }) => each?.slug === metric);
  const groups = (found as { groupBy?: Record<string, string> } | undefined)?.groupBy;
  return Object.keys(groups ?? {});
}

import { AxisBottom, AxisLeft } from "@visx/axis";
import { GridRows } from "@visx/grid";
import { Group } from "@visx/group";
import { scaleBand, scaleLinear } from "@visx/scale";
import { Bar, LinePath } from "@visx/shape";
import { useId, useMemo, useState, type KeyboardEvent, type PointerEvent } from "react";

import { add, toNumber } from "../decimal";
import { classes } from "../ui/ui";
import { useWidth } from "./use-width";

export type ChartSeries = {
  name: string;
  /** Exact text, one for each of the labels; null where nothing has a value. */
  values: readonly (string | null)[];
};

export type ChartThreshold = { value: string; label: string; tone?: "good" | "warn" | "bad" };

export type TrendChartProps = {
  /** What it shows, for who can't see it. */
  label: string;
  /** A short text for each point, for the axis. */
  ticks: readonly string[];
  /** A full text for each point; the ticks if not given. */
  names?: readonly string[];
  series: readonly ChartSeries[];
  /** Bars are stacked and are for what adds up; lines are for levels. */
  kind?: "bars" | "line";
  thresholds?: readonly ChartThreshold[];
  /** Points from here on are not over or not known yet. */
  openFrom?: number;
  format: (text: string) => string;
  formatAxis?: (text: string) => string;
  height?: number;
};

const MARGIN = { top: 12, right: 8, bottom: 26, left: 52 };

/**
 * Usage or cost over time.
 *
 * Arrow keys move along the points as the pointer does; what is read out, and the table behind it, have exact values.
 */
export function TrendChart(props: TrendChartProps) {
  const { height = 240, label, series, ticks } = props;
  const [ref, width] = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const readout = useId();
  const point = at !== null && at < ticks.length ? at : null;

  const move = (event: KeyboardEvent) => {
    const last = ticks.length - 1;
    const steps: Record<string, number> = {
      ArrowRight: Math.min(last, (at ?? -1) + 1),
      ArrowLeft: Math.max(0, (at ?? last + 1) - 1),
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    setAt(next);
  };
  return (
    <figure className="ts-chart" aria-label={label}>
      <Readout {...props} at={point} id={readout} />
      <div
        ref={ref}
        className="ts-chart-plot"
        style={{ height }}
        role="img"
        tabIndex={0}
        aria-label={`${label}. ${ticks.length} points; arrow keys read them.`}
        aria-describedby={readout}
        onKeyDown={move}
        onBlur={() => setAt(null)}
        onPointerLeave={() => setAt(null)}
      >
        {width > 0 && <Plot {...props} width={width} height={height} at={point} onPoint={setAt} />}
      </div>
      {series.length > 1 && <Legend series={series} />}
    </figure>
  );
}

function Readout({ ticks, names, series, format, at, id }: TrendChartProps & { at: number | null; id: string }) {
  const shown = at === null ? null : series.filter((each) => each.values[at] != null);
  const sum = at === null ? null : totalOf(series, at);
  return (
    <figcaption className="ts-chart-readout" id={id} aria-live="polite">
      {at !== null && shown && (
        <>
          <strong>{(names ?? ticks)[at]}</strong>{" "}
          <span className="ts-number">{sum === null ? "no value" : format(sum)}</span>
          {series.length > 1 && shown.length > 0 && (
            <span className="ts-muted">
              {" "}
              {shown
                .slice(0, 4)
                .map((each) => `${each.name} ${format(each.values[at]!)}`)
                .join(" · ")}
            </span>
          )}
        </>
      )}
    </figcaption>
  );
}

function totalOf(series: readonly ChartSeries[], at: number): string | null {
  const values = series.map((each) => each.values[at]).filter((value): value is string => value != null);
  return values.length ? add(...values) : null;
}

export function Legend({ series }: { series: readonly { name: string }[] }) {
  return (
    <ul className="ts-legend">
      {series.map((each, index) => (
        <li key={each.name}>
          <span className="ts-swatch" style={{ background: colour(index) }} />
          {each.name}
        </li>
      ))}
    </ul>
  );
}

export function colour(index: number): string {
  return `var(--ts-series-${(index % 8) + 1})`;
}

type PlotProps = TrendChartProps & {
  width: number;
  height: number;
  at: number | null;
  onPoint: (at: number) => void;
};

function Plot({ ticks, series, kind = "bars", thresholds = [], openFrom, format, formatAxis, width, height, at, onPoint }: PlotProps) {
  const inner = { width: Math.max(40, width - MARGIN.left - MARGIN.right), height: height - MARGIN.top - MARGIN.bottom };
  const positions = useMemo(() => ticks.map((_, index) => index), [ticks]);
  const x = scaleBand({ domain: positions, range: [0, inner.width], paddingInner: kind === "bars" ? 0.25 : 0 });
  const tops = kind === "bars" ? positions.map((index) => stackHeight(series, index)) : series.flatMap(geometry);
  const top = Math.max(1e-18, ...tops, ...thresholds.map((each) => toNumber(each.value)));
  const bottom = Math.min(0, ...tops);
  const y = scaleLinear({ domain: [bottom, top * 1.06], range: [inner.height, 0], nice: true });
  const every = Math.max(1, Math.ceil(ticks.length / Math.max(2, Math.floor(inner.width / 76))));
  const pick = (event: PointerEvent<SVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * ticks.length);
    onPoint(Math.max(0, Math.min(ticks.length - 1, index)));
  };
  return (
    <svg width={width} height={height} aria-hidden="true" focusable="false">
      <Group left={MARGIN.left} top={MARGIN.top}>
        <GridRows scale={y} width={inner.width} numTicks={4} className="ts-grid" />
        {at !== null && <rect className="ts-chart-cursor" x={x(at) ?? 0} y={0} width={x.bandwidth()} height={inner.height} />}
        {kind === "bars" ? (
          <Bars series={series} x={x} y={y} openFrom={openFrom} />
        ) : (
          <Lines series={series} x={x} y={y} at={at} />
        )}
        {thresholds.map((each) => (
          <Threshold key={`${each.label} ${each.value}`} threshold={each} y={y(toNumber(each.value))} width={inner.width} />
        ))}
        <AxisLeft
          scale={y}
          numTicks={4}
          hideAxisLine
          hideTicks
          tickFormat={(value) => (formatAxis ?? format)(plain(Number(value)))}
          tickLabelProps={{ className: "ts-tick", textAnchor: "end", dx: -6, dy: 4 }}
        />
        <AxisBottom
          scale={x}
          top={inner.height}
          tickValues={positions.filter((index) => index % every === 0)}
          tickFormat={(value) => ticks[Number(value)] ?? ""}
          hideTicks
          axisLineClassName="ts-axis"
          tickLabelProps={{ className: "ts-tick", textAnchor: "middle", dy: 4 }}
        />
        <rect width={inner.width} height={inner.height} fill="transparent" onPointerMove={pick} onPointerDown={pick} />
      </Group>
    </svg>
  );
}

type Scales = { x: ReturnType<typeof scaleBand<number>>; y: ReturnType<typeof scaleLinear<number>> };

function Bars({ series, x, y, openFrom }: Scales & { series: readonly ChartSeries[]; openFrom?: number | undefined }) {
  const positions = x.domain();
  const bottoms = new Array<number>(positions.length).fill(0);
  return series.map((each, index) => (
    <g key={each.name}>
      {positions.map((at) => {
        const from = bottoms[at] ?? 0;
        const to = from + toNumber(each.values[at]);
        bottoms[at] = to;
        if (to === from) return null;
        const upper = y(Math.max(from, to));
        return (
          <Bar
            key={at}
            className={classes("ts-bar", openFrom !== undefined && at >= openFrom && "ts-bar-open")}
            x={x(at) ?? 0}
            y={upper}
            width={x.bandwidth()}
            height={Math.max(1, y(Math.min(from, to)) - upper)}
            fill={colour(index)}
            rx={Math.min(2, x.bandwidth() / 4)}
          />
        );
      })}
    </g>
  ));
}

function Lines({ series, x, y, at }: Scales & { series: readonly ChartSeries[]; at: number | null }) {
  const middle = (index: number) => (x(index) ?? 0) + x.bandwidth() / 2;
  return series.map((each, index) => {
    const points = each.values.map((value, position) => ({ value, position }));
    const value = at === null ? null : each.values[at];
    return (
      <g key={each.name}>
        <LinePath
          data={points}
          defined={(point) => point.value != null}
          x={(point) => middle(point.position)}
          y={(point) => y(toNumber(point.value))}
          className="ts-line"
          stroke={colour(index)}
        />
        {at !== null && value != null && <circle cx={middle(at)} cy={y(toNumber(value))} r={4} fill={colour(index)} />}
      </g>
    );
  });
}

function Threshold({ threshold, y, width }: { threshold: ChartThreshold; y: number; width: number }) {
  return (
    <g className={`ts-threshold ts-threshold-${threshold.tone ?? "warn"}`}>
      <line x1={0} x2={width} y1={y} y2={y} />
      <text x={width} y={y - 4} textAnchor="end">
        {threshold.label}
      </text>
    </g>
  );
}

function geometry(series: ChartSeries): number[] {
  return series.values.map(toNumber);
}

function stackHeight(series: readonly ChartSeries[], at: number): number {
  return series.reduce((sum, each) => sum + toNumber(each.values[at]), 0);
}

/** The value of a tick without an exponent. */
function plain(value: number): string {
  if (Math.abs(value) >= 1e15) return BigInt(Math.round(value)).toString();
  return value.toFixed(18).replace(/\.?0+$/, "").slice(0, 24);
}

import { useId } from "react";
import { compare, toNumber } from "../decimal";
import { formatCompact, formatMoney, formatNumber } from "../format";
import { byLimit } from "./draft";

export interface ChartStep {
  limit: string | null;
  hard: boolean;
}

export interface ThresholdChartProps {
  /** The number as it is now; null: there is nothing to compare. */
  value: string | null;
  /** A currency, or the unit. */
  unit: string;
  money: boolean;
  steps: readonly ChartStep[];
  /** The step is crossed when the number falls below it. */
  falling?: boolean;
  /** How it stands, where that is known; else by the limits that are crossed. */
  tone?: "good" | "warn" | "bad";
}

const WIDTH = 600;
const HEIGHT = 62;
const TOP = 26;
const BAR = 14;

/** The number of an alert on a line with its limits, to scale; the same in words for who can't see it. */
export function ThresholdChart({ value, unit, money, steps, falling = false, tone: known }: ThresholdChartProps) {
  const title = useId();
  const limits = byLimit(steps).filter((step): step is ChartStep & { limit: string } => step.limit !== null);
  const write = (text: string) => (money ? formatMoney(text, unit) : `${formatNumber(text)} ${unit}`);
  if (limits.length === 0) return <p className="ts-muted ts-limits ts-limits--empty">The limits show here.</p>;

  const numbers = [0, ...limits.map((step) => toNumber(step.limit)), ...(value === null ? [] : [toNumber(value)])];
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const span = most - least || 1;
  const x = (number: number) => ((number - least) / (span * 1.08)) * WIDTH;
  const crossed = (limit: string) => value !== null && (falling ? compare(value, limit) <= 0 : compare(value, limit) >= 0);
  const tone = known ?? toneOf(limits.filter((step) => crossed(step.limit)));

  return (
    <figure className="ts-limits">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={title} preserveAspectRatio="none">
        <title id={title}>
          {`${value === null ? "Nothing to compare yet" : `Now ${write(value)}`}; limits: ${limits.map((step) => write(step.limit) + (step.hard ? " (hard)" : "")).join(", ")}`}
        </title>
        <rect className="ts-limits__track" x={0} y={TOP} width={WIDTH} height={BAR} rx={4} />
        {value !== null && (
          <rect className="ts-limits__bar" data-tone={tone} y={TOP} height={BAR} rx={4}
            x={Math.min(x(0), x(toNumber(value)))} width={Math.max(3, Math.abs(x(toNumber(value)) - x(0)))} />
        )}
        {limits.map((step, place) => (
          <line key={place} className="ts-limits__limit" data-hard={step.hard || undefined} data-crossed={crossed(step.limit) || undefined}
            x1={x(toNumber(step.limit))} x2={x(toNumber(step.limit))} y1={TOP - 6} y2={TOP + BAR + 6} />
        ))}
      </svg>
      <div className="ts-limits__labels" aria-hidden="true">
        {spaced(limits.map((step) => ({ step, at: (x(toNumber(step.limit)) / WIDTH) * 100 }))).map(({ step, at }, place) => (
          <span key={place} style={{ left: `${at}%` }} data-hard={step.hard || undefined} title={write(step.limit)}>
            {money ? formatMoney(shortened(step.limit), unit) : formatCompact(step.limit)}
          </span>
        ))}
      </div>
    </figure>
  );
}

function toneOf(crossed: readonly ChartStep[]): "good" | "warn" | "bad" {
  if (crossed.length === 0) return "good";
  return crossed.some((step) => step.hard) ? "bad" : "warn";
}

/** Labels that would stand on each other are left out; the last limit always has its own. */
function spaced<Label extends { at: number }>(labels: readonly Label[]): Label[] {
  return labels.filter((label, place) => labels.slice(place + 1).every((other) => other.at - label.at > 9));
}

function shortened(text: string): string {
  return text.replace(/\.0+$/, "");
}

/** Lines of open and of closed statements in one shape, and what their steps do in words. */

import { formatNumber } from "../format";
import type { ClosedStatement, OpenStatement } from "./use-statement";

export interface Step {
  kind: string;
  quantity: string;
  unit_price: string | null;
  amount: string;
  tier: number | null;
  start: string | null;
  end: string | null;
  setting: string | null;
  label: string | null;
}

export interface ShownLine {
  key: string;
  /** By which a closed line is explained; null: the statement is open. */
  id: number | null;
  kind: string;
  name: string;
  metric: string | null;
  unit: string;
  start: string;
  end: string;
  quantity: string;
  events: number;
  unvalued: number;
  /** Exact, in the currency of the price; null where nothing is charged. */
  amount: string | null;
  /** What it adds to the bill, in the bill's currency; null where nothing is charged. */
  billed: string | null;
  conversion: { total: string | null; currency: string | null; rate: string; date: string; source: string } | null;
  reason: string | null;
  steps: readonly Step[];
  adjusts: { statement: number; key: string; cause: Readonly<Record<string, unknown>> } | null;
}

/** The lines of an open statement. */
export function linesOfOpen(statement: OpenStatement): ShownLine[] {
  return statement.lines.map((line) => ({
    ...pick(line),
    id: null,
    start: line.start,
    end: line.end,
    billed: line.conversion ? line.conversion.total : line.total,
    conversion: line.conversion && {
      total: line.total,
      currency: null,
      rate: line.conversion.rate,
      date: line.conversion.rate_date,
      source: line.conversion.source,
    },
    steps: line.steps,
    adjusts: line.adjusts && { statement: line.adjusts.period_id, key: line.adjusts.key, cause: line.adjusts.cause },
  }));
}

/** The lines of a closed statement. */
export function linesOfClosed(statement: ClosedStatement): ShownLine[] {
  return statement.lines.map((line) => ({
    ...pick(line),
    id: line.id,
    start: line.interval_start,
    end: line.interval_end,
    billed: line.converted_total,
    conversion:
      line.exchange_rate === null
        ? null
        : {
            total: line.total,
            currency: line.currency,
            rate: line.exchange_rate,
            date: line.rate_date ?? "",
            source: line.rate_source ?? "",
          },
    steps: line.steps as unknown as Step[],
    adjusts:
      line.adjusts_period_id === null
        ? null
        : { statement: line.adjusts_period_id, key: line.adjusts_key ?? "", cause: line.cause ?? {} },
  }));
}

type Common = OpenStatement["lines"][number] | ClosedStatement["lines"][number];

function pick(line: Common) {
  const { key, kind, name, metric, unit, quantity, events, unvalued, amount, reason } = line;
  return { key, kind, name, metric, unit, quantity, events, unvalued, amount, reason };
}

const WORDS: Record<string, string> = {
  negative_usage: "Usage below zero",
  filter: "Usage with",
  proration: "Share of the period",
  conversion: "Unit conversion",
  free_allowance: "Free allowance",
  per_unit: "Per unit",
  dynamic: "Amounts of the events",
  flat_fee: "Flat fee",
  package: "Packages",
  free_events: "Free events",
  free_amount: "Free amount",
  percentage: "Percentage",
  event_fee: "Fee per event",
  event_minimum: "Lifted to the least per event",
  event_maximum: "Lowered to the most per event",
  unpriced: "Without a rate",
  percent_discount: "Discount in percent",
  amount_discount: "Discount",
  maximum: "Down to the maximum",
  minimum: "Up to the minimum",
  true_up: "Up to the commitment",
  overage: "Overage",
  rated_now: "As it is rated now",
  booked: "Booked before",
};

/** What a step does, in words: `Tier 2, above 10,000 up to 100,000`. */
export function wordsOfStep(step: Step): string {
  const words = step.tier === null ? wordsOfKind(step) : wordsOfTier(step);
  return step.label ? `${words}: ${step.label}` : words;
}

function wordsOfKind(step: Step): string {
  const words = WORDS[step.kind] ?? capital(step.kind.replaceAll("_", " "));
  return step.setting === null ? words : `${words} (${formatNumber(step.setting)})`;
}

function wordsOfTier(step: Step): string {
  const what = step.kind === "flat_fee" ? "flat fee of tier" : "tier";
  const above = step.start === null || /^0(\.0*)?$/.test(step.start) ? "" : ` above ${formatNumber(step.start)}`;
  const upTo = step.end === null ? "" : ` up to ${formatNumber(step.end)}`;
  return `${capital(what)} ${(step.tier ?? 0) + 1}${above || upTo ? `,${above}${upTo}` : ""}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What a kind of line is called. */
export const KINDS: Record<string, string> = {
  usage: "Usage",
  fee: "Fee",
  discount: "Discount",
  commitment: "Commitment",
  adjustment: "Adjustment",
};

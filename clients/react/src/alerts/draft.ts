/** An alert while it is edited: text as it is typed, and the request that it comes to. */

import { compare, parts } from "../decimal";
import type { Alert, AlertRequest } from "./use-alerts";

export type AlertKind = Alert["kind"];

export interface StepDraft {
  /** A percentage of the threshold, or a value of its own. */
  of: "percent" | "value";
  number: string;
  hard: boolean;
  throttle: boolean;
  /** Names of channels; none: those that the team prefers. */
  notify: readonly string[];
}

export interface AlertDraft {
  name: string;
  kind: AlertKind;
  /** Whom it is about; neither: all teams. */
  teamId: string;
  plan: string;
  metric: string;
  currency: string;
  threshold: string;
  steps: readonly StepDraft[];
}

export const KINDS: Record<AlertKind, { title: string; number: string }> = {
  usage: { title: "Usage so far", number: "Quantity" },
  cost: { title: "Cost so far", number: "Amount" },
  projected_usage: { title: "Where usage leads", number: "Quantity" },
  projected_cost: { title: "Where cost leads", number: "Amount" },
  credit_balance: { title: "Credit that is left", number: "The least there should be" },
  rate: { title: "Change against past weeks", number: "Change in percent" },
  absence: { title: "Silence", number: "Minutes without an event" },
};

/** Whether the kind is about one metric: it has to be, it may be, or it is not. */
export const NEEDS_METRIC: ReadonlySet<AlertKind> = new Set(["usage", "projected_usage", "rate"]);
/** The kinds whose threshold is an amount of money (of credit: where no metric is named). */
export const OF_MONEY: ReadonlySet<AlertKind> = new Set(["cost", "projected_cost", "credit_balance"]);

export function emptyStep(number = "100"): StepDraft {
  return { of: "percent", number, hard: false, throttle: false, notify: [] };
}

export function emptyDraft(teamId: string | null): AlertDraft {
  return {
    name: "",
    kind: "cost",
    teamId: teamId ?? "",
    plan: "",
    metric: "",
    currency: "",
    threshold: "",
    steps: [emptyStep("80"), emptyStep("100")],
  };
}

export function draftOf(alert: Alert): AlertDraft {
  return {
    name: alert.name,
    kind: alert.kind,
    teamId: alert.team_id ?? "",
    plan: alert.plan ?? "",
    metric: alert.metric ?? "",
    currency: alert.currency ?? "",
    threshold: alert.threshold_value,
    steps: alert.steps.map((step) => ({
      of: step.value === null ? "percent" : "value",
      number: step.value ?? step.percent ?? "100",
      hard: step.type === "hard",
      throttle: step.action.throttle,
      notify: step.action.notify,
    })),
  };
}

/** What is asked of the API. What the draft does not name (hysteresis, weeks) stays as it is. */
export function requestOf(draft: AlertDraft): AlertRequest {
  const text = (value: string) => value.trim() || null;
  return {
    ...(text(draft.name) === null ? {} : { name: draft.name.trim() }),
    kind: draft.kind,
    team_id: text(draft.teamId),
    plan: text(draft.plan),
    metric: text(draft.metric),
    currency: OF_MONEY.has(draft.kind) ? text(draft.currency.toUpperCase()) : null,
    threshold_value: draft.threshold.trim(),
    steps: draft.steps.map((step) => ({
      ...(step.of === "percent" ? { percent: step.number.trim() } : { value: step.number.trim() }),
      type: step.hard ? "hard" : "soft",
      action: { notify: [...step.notify], throttle: step.hard && step.throttle },
    })),
  } as AlertRequest;
}

/** What is wrong before anything is sent, by the name of the field; the server has the last word. */
export function problemsOf(draft: AlertDraft): Record<string, string> {
  const problems: Record<string, string> = {};
  if (!isDecimal(draft.threshold)) problems["threshold_value"] = "A number, such as 1000 or 0.5";
  if (NEEDS_METRIC.has(draft.kind) && !draft.metric.trim()) problems["metric"] = "This kind is about one metric";
  draft.steps.forEach((step, place) => {
    if (!isDecimal(step.number)) problems[`steps.${place}`] = "A number, such as 80";
  });
  if (draft.teamId.trim() && draft.plan.trim()) problems["plan"] = "A team or a plan, not both";
  return problems;
}

export function isDecimal(text: string): boolean {
  return parts(text) !== null;
}

/** The limit that a step is: exact, as text; null while a number is none. */
export function limitOf(threshold: string, step: StepDraft): string | null {
  if (!isDecimal(step.number)) return null;
  if (step.of === "value") return step.number.trim();
  return isDecimal(threshold) ? percentOf(threshold.trim(), step.number.trim()) : null;
}

/** `percent` per cent of a number, exactly. */
export function percentOf(number: string, percent: string): string {
  const [left, right] = [parts(number), parts(percent)];
  if (!left || !right) throw new RangeError(`not decimals: ${number}, ${percent}`);
  const digits = left.fraction.length + right.fraction.length + 2;
  const product = (BigInt(left.whole + left.fraction) * BigInt(right.whole + right.fraction)).toString();
  const padded = product.padStart(digits + 1, "0");
  const fraction = padded.slice(-digits).replace(/0+$/, "");
  const sign = left.negative !== right.negative && /[1-9]/.test(product) ? "-" : "";
  return `${sign}${padded.slice(0, -digits)}${fraction ? `.${fraction}` : ""}`;
}

/** The steps from the lowest limit to the highest; those without one last. */
export function byLimit<Step extends { limit: string | null }>(steps: readonly Step[]): Step[] {
  return [...steps].sort((left, right) =>
    left.limit === null ? 1 : right.limit === null ? -1 : compare(left.limit, right.limit),
  );
}

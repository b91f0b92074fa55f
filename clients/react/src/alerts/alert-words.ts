import { formatMoney, formatNumber } from "../format";
import type { Tone } from "../ui/ui";
import { KINDS, OF_MONEY } from "./draft";
import type { Alert, AlertState } from "./use-alerts";

/** Whether the alert's numbers are amounts of money. */
export function isMoney(alert: Pick<Alert, "kind" | "metric">): boolean {
  return OF_MONEY.has(alert.kind) && !(alert.kind === "credit_balance" && alert.metric !== null);
}

/** Whether its steps are crossed on the way down. */
export function isFalling(alert: Pick<Alert, "kind" | "threshold_value">): boolean {
  return alert.kind === "credit_balance" || (alert.kind === "rate" && alert.threshold_value.startsWith("-"));
}

/** A number of the alert in its unit, to the last digit. */
export function writeNumber(number: string, unit: string, money: boolean): string {
  return money ? formatMoney(number, unit) : `${formatNumber(number)} ${unit}`.trim();
}

/** Whom and what it is about, in a line. */
export function aboutOf(alert: Alert): string {
  const whom = alert.team_id ?? (alert.plan ? `teams on ${alert.plan}` : "all teams");
  return `${KINDS[alert.kind].title}${alert.metric ? ` of ${alert.metric}` : ""}, ${whom}`;
}

export const STATES: Record<AlertState, { word: string; tone: Tone }> = {
  ok: { word: "ok", tone: "good" },
  warning: { word: "warning", tone: "warn" },
  exceeded: { word: "exceeded", tone: "bad" },
  resolved: { word: "resolved", tone: "info" },
};

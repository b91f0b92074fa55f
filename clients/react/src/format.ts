/** How values are written. Numbers are grouped as text: every digit that the API said is kept. */

import { isZero, parts, round, toNumber } from "./decimal";

const GROUP = ",";
const MINUS = "\u2212";
const UNITS = [
  [15, "P"],
  [12, "T"],
  [9, "G"],
  [6, "M"],
  [3, "k"],
] as const;

/** `1234567.5` as `1,234,567.5`: the pages are in English, so its marks are, too. */
export function formatNumber(text: string | number | null | undefined, { digits }: { digits?: number } = {}): string {
  if (text === null || text === undefined) return "–";
  const found = parts(digits === undefined ? String(text) : round(String(text), digits));
  if (!found) return String(text);
  const whole = found.whole.replace(/\B(?=(\d{3})+(?!\d))/g, GROUP);
  const sign = found.negative && !(isZero(found.whole) && isZero(found.fraction || "0")) ? MINUS : "";
  return `${sign}${whole}${found.fraction ? `.${found.fraction}` : ""}`;
}

/** Three significant digits with a letter: `12.3M`. Whoever shows it has the exact value in reach. */
export function formatCompact(text: string | number | null | undefined): string {
  if (text === null || text === undefined) return "–";
  const found = parts(String(text));
  if (!found) return String(text);
  const sign = found.negative ? MINUS : "";
  const length = found.whole.length;
  const unit = UNITS.find(([exponent]) => length > exponent && length > 4);
  if (!unit) {
    const digits = found.whole === "0" ? significant(found.fraction) : Math.max(0, 3 - length);
    return formatNumber(trimmed(round(String(text), digits)));
  }
  const [exponent, letter] = unit;
  const lead = `${found.whole.slice(0, length - exponent)}.${found.whole.slice(length - exponent)}`;
  return `${sign}${trimmed(round(lead, Math.max(0, 3 - (length - exponent))))}${letter}`;
}

function significant(fraction: string): number {
  const zeros = /^0*/.exec(fraction)![0].length;
  return Math.min(fraction.length, zeros + 3);
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** The amount with every digit that came, at least those of its currency, and its sign or code before it: `$1,234.50`. */
export function formatMoney(amount: string | null | undefined, currency: string | null | undefined): string {
  if (amount === null || amount === undefined) return "–";
  const text = formatNumber(padded(amount, fractionOf(currency)));
  const negative = text.startsWith(MINUS);
  const symbol = symbolOf(currency);
  const space = /[A-Za-z]$/.test(symbol) ? "\u00a0" : "";
  return `${negative ? MINUS : ""}${symbol}${space}${negative ? text.slice(1) : text}`;
}

/** An amount for an axis or a tile: compact. */
export function formatMoneyCompact(amount: string, currency: string | null | undefined): string {
  const symbol = symbolOf(currency);
  return `${symbol}${/[A-Za-z]$/.test(symbol) ? "\u00a0" : ""}${formatCompact(amount)}`;
}

function padded(amount: string, digits: number): string {
  const found = parts(amount);
  if (!found || found.fraction.length >= digits) return amount;
  return `${found.negative ? "-" : ""}${found.whole}.${found.fraction.padEnd(digits, "0")}`;
}

function fractionOf(currency: string | null | undefined): number {
  try {
    return currency ? (new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 0) : 0;
  } catch {
    return 0;
  }
}

const symbols = new Map<string, string>();

function symbolOf(currency: string | null | undefined): string {
  if (!currency) return "";
  let symbol = symbols.get(currency);
  if (symbol === undefined) {
    symbol = currencySymbol(currency);
    symbols.set(currency, symbol);
  }
  return symbol;
}

function currencySymbol(currency: string): string {
  try {
    const shown = new Intl.NumberFormat("en", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
    return shown.formatToParts(0).find((part) => part.type === "currency")?.value ?? currency;
  } catch {
    return currency;
  }
}

/** A share (`0.4677`) as `46.8 %`; with `sign`, growth: `+12.5 %`. */
export function formatPercent(share: string | number | null | undefined, { sign = false, digits = 1 } = {}): string {
  if (share === null || share === undefined) return "–";
  const value = Number(share) * 100;
  if (!Number.isFinite(value)) return "–";
  const text = Math.abs(value) >= 1000 ? formatNumber(Math.abs(value).toFixed(0)) : trimmed(Math.abs(value).toFixed(digits));
  const mark = value < 0 && text !== "0" ? MINUS : sign && value > 0 ? "+" : "";
  return `${mark}${text}\u202f%`;
}

const instants = new Map<string, Intl.DateTimeFormat>();

function instantFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options);
  let found = instants.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(undefined, options);
    instants.set(key, found);
  }
  return found;
}

function shown(at: string | Date | null | undefined, options: Intl.DateTimeFormatOptions): string {
  if (!at) return "–";
  const date = typeof at === "string" ? new Date(at) : at;
  return Number.isNaN(date.getTime()) ? String(at) : instantFormat(options).format(date);
}

/** Date and time to the second, in the zone (the browser's if none is given). */
export function formatInstant(at: string | Date | null | undefined, timeZone?: string): string {
  return shown(at, { dateStyle: "medium", timeStyle: "medium", timeZone });
}

export function formatDay(at: string | Date | null | undefined, timeZone?: string): string {
  return shown(at, { dateStyle: "medium", timeZone });
}

/** A window of a chart: by how long windows are. */
export function formatWindow(at: string, window: string, timeZone?: string): string {
  if (window === "month") return shown(at, { month: "short", year: "numeric", timeZone });
  if (window === "day") return shown(at, { weekday: "short", day: "numeric", month: "short", timeZone });
  return shown(at, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone });
}

/** The same for the axis, where little room is. */
export function formatTick(at: string, window: string, timeZone?: string): string {
  if (window === "month") return shown(at, { month: "short", timeZone });
  if (window === "day") return shown(at, { day: "numeric", month: "short", timeZone });
  return shown(at, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone });
}

const STEPS: readonly (readonly [number, Intl.RelativeTimeFormatUnit])[] = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
  [1, "second"],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** `3 minutes ago`, `in 2 days`. */
export function formatRelative(at: string | Date, now: Date = new Date()): string {
  const seconds = ((typeof at === "string" ? new Date(at) : at).getTime() - now.getTime()) / 1000;
  const [size, unit] = STEPS.find(([size]) => Math.abs(seconds) >= size) ?? STEPS[STEPS.length - 1]!;
  return relative.format(Math.trunc(seconds / size), unit);
}

/** How much of a length is filled, from 0 to 1: geometry. */
export function portion(part: string, whole: string): number {
  const of = toNumber(whole);
  return of > 0 ? Math.min(1, Math.max(0, toNumber(part) / of)) : 0;
}

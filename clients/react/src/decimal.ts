/**
 * Decimal text without binary floats: what the API says is shown to the last digit.
 *
 * Only `toNumber` leaves exactness, for the geometry of charts and meters.
 */

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

type Parts = { negative: boolean; whole: string; fraction: string };

/** The parts of plain decimal text; null for anything else. */
export function parts(text: string): Parts | null {
  const match = DECIMAL.exec(text.trim());
  if (!match) return null;
  return { negative: match[1] === "-", whole: match[2]!.replace(/^0+(?=\d)/, ""), fraction: match[3] ?? "" };
}

/** A value scaled to whole units of 10^-digits. */
function scaled(text: string, digits: number): bigint {
  const found = parts(text);
  if (!found) throw new RangeError(`not a decimal: ${text}`);
  const value = BigInt(found.whole + found.fraction.padEnd(digits, "0").slice(0, digits));
  return found.negative ? -value : value;
}

function fractionDigits(...texts: string[]): number {
  return Math.max(0, ...texts.map((text) => parts(text)?.fraction.length ?? 0));
}

function unscaled(value: bigint, digits: number): string {
  const negative = value < 0n;
  const text = (negative ? -value : value).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const fraction = digits ? `.${text.slice(-digits)}` : "";
  return `${negative ? "-" : ""}${whole}${fraction}`;
}

/** The exact sum. */
export function add(...texts: string[]): string {
  const digits = fractionDigits(...texts);
  return unscaled(texts.reduce((sum, text) => sum + scaled(text, digits), 0n), digits);
}

/** The exact difference. */
export function subtract(from: string, text: string): string {
  const digits = fractionDigits(from, text);
  return unscaled(scaled(from, digits) - scaled(text, digits), digits);
}

/** Below zero, zero or above, as the first is less than, equal to or more than the second. */
export function compare(left: string, right: string): number {
  const digits = fractionDigits(left, right);
  const difference = scaled(left, digits) - scaled(right, digits);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function isZero(text: string): boolean {
  return /^[+-]?0*(\.0*)?$/.test(text.trim());
}

/** Rounded half away from zero to so many digits after the point: for labels that say they are rounded. */
export function round(text: string, digits: number): string {
  const have = fractionDigits(text);
  if (have <= digits) return text;
  const value = scaled(text, have);
  const step = 10n ** BigInt(have - digits);
  const half = step / 2n;
  const rounded = (value < 0n ? value - half : value + half) / step;
  return unscaled(rounded, digits);
}

/** The nearest binary number: for geometry alone, never for what is read as a value. */
export function toNumber(text: string | null | undefined): number {
  return text === null || text === undefined ? 0 : Number(text);
}

/**
 * JSON whose numbers are kept digit for digit.
 *
 * `JSON.parse` makes binary floats of numbers, which changes `0.10` and `12345678901234567890`. Here a number that
 * would not come out as it was written is kept as an `ExactNumber` with its spelling.
 */

export class ExactNumber {
  constructor(readonly spelling: string) {}

  toString(): string {
    return this.spelling;
  }

  /** For whoever makes JSON of it again: the digits as text, since a float would change them. */
  toJSON(): string {
    return this.spelling;
  }
}

export type Json = null | boolean | number | string | ExactNumber | readonly Json[] | { readonly [name: string]: Json };

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARK = "\u0000exact:";

/** What the text says, with every number that a float would change kept as it is written. */
export function parseExact(text: string): unknown {
  let changed = false;
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || String(Number(token)) === token) return token;
    changed = true;
    return JSON.stringify(MARK + token);
  });
  if (!changed) return JSON.parse(text);
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? new ExactNumber(value.slice(MARK.length)) : value,
  );
}

/** The value as indented JSON, numbers as they were written. */
export function writeExact(value: unknown, indent = ""): string {
  const deeper = `${indent}  `;
  if (value instanceof ExactNumber) return value.spelling;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[\n${value.map((each) => deeper + writeExact(each, deeper)).join(",\n")}\n${indent}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value);
    if (members.length === 0) return "{}";
    const lines = members.map(([name, each]) => `${deeper}${JSON.stringify(name)}: ${writeExact(each, deeper)}`);
    return `{\n${lines.join(",\n")}\n${indent}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/** The value in one short line: text without quotes, everything else as JSON. */
export function shortExact(value: unknown): string {
  if (typeof value === "string") return value;
  return writeExact(value).replace(/\s*\n\s*/g, " ");
}

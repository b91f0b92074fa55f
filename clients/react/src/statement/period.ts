/** A billing period in words: the days of the team's own zone, the last one included. */

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string | undefined): Intl.DateTimeFormat {
  const key = zone ?? "";
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", timeZone: zone });
    formats.set(key, found);
  }
  return found;
}

/** `Oct 1 – 31, 2026`; the end is excluded from the period, so that its last day is the one before. */
export function formatPeriod(start: string, end: string, zone?: string): string {
  const [first, last] = [new Date(start), new Date(new Date(end).getTime() - 1)];
  if (Number.isNaN(first.getTime()) || Number.isNaN(last.getTime())) return `${start} – ${end}`;
  return format(zone).formatRange(first, last);
}

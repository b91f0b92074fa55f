/** Between an instant and what a `datetime-local` field holds, which is the wall time of this browser. */

const two = (number: number) => String(number).padStart(2, "0");

/** The wall time here of an instant, for a field; empty where there is none. */
export function toLocalInput(instant: string | undefined): string {
  if (!instant) return "";
  const at = new Date(instant);
  if (Number.isNaN(at.getTime())) return "";
  const day = `${String(at.getFullYear()).padStart(4, "0")}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** The instant (RFC 3339, UTC) of a field's wall time here. */
export function fromLocalInput(text: string | undefined): string | undefined {
  if (!text) return undefined;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString().replace(".000Z", "Z");
}

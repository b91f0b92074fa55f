/** Reading the event log: a page of it, looking on by itself where a search finds little. */

import type { components } from "../api/schema";

export type UsageEvent = components["schemas"]["EventAnswer"];
export type EventTrace = components["schemas"]["TraceAnswer"];

/** What one request answers. */
export interface EventPage {
  data: UsageEvent[];
  next_cursor: string | null;
  looked_to?: string | null;
}

/** A page as it is shown. */
export interface ShownPage {
  events: UsageEvent[];
  /** Where the next page begins; null: this is the last one. */
  next: string | null;
  /** Looking ended at this instant before the page was full; null: it is full, or the last one. */
  lookedTo: string | null;
}

/** Requests for one page at most: each looks through some thousands of events. */
export const MOST_LOOKS = 6;

export type Ask = (query: { limit: number; cursor?: string }) => Promise<EventPage>;

/**
 * A page of up to `size` events from a cursor on.
 *
 * The server looks through a bounded number of events for each answer. Where that finds less than a page, this asks
 * on, up to `MOST_LOOKS` times, and then says how far it got.
 */
export async function readPage(ask: Ask, size: number, cursor: string | undefined): Promise<ShownPage> {
  const events: UsageEvent[] = [];
  let at = cursor;
  for (let looks = 1; ; looks++) {
    const page = await ask({ limit: size - events.length, cursor: at });
    events.push(...page.data);
    const lookedTo = page.looked_to ?? null;
    if (page.next_cursor === null || lookedTo === null || events.length >= size || looks === MOST_LOOKS) {
      return { events, next: page.next_cursor, lookedTo: events.length >= size ? null : lookedTo };
    }
    at = page.next_cursor;
  }
}

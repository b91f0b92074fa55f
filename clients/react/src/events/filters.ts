/** What the event log is asked for: filters that fit into a URL, and what they become in a request. */

export type EventSort = "-occurred_at" | "occurred_at" | "-recorded_at" | "recorded_at";

export interface EventFilters {
  /** Events of this team. With a portal token it is always the token's. */
  team?: string;
  /** Text in the name, type, user, idempotency key or metadata. */
  search?: string;
  name?: string;
  user?: string;
  /** Events that this metric counts. */
  metric?: string;
  /** The idempotency key. */
  key?: string;
  /** `key=value` pairs that the metadata must have. */
  metadata?: readonly string[];
  /** Happened at this instant or later (RFC 3339). */
  from?: string;
  /** Happened before this instant (RFC 3339). */
  to?: string;
  /** `true`: that no longer count; `false`: that count. */
  corrected?: boolean;
  sort?: EventSort;
}

/** The parameters of `GET /api/usage/events` that these filters are. */
export interface EventParameters {
  team_id?: string;
  search?: string;
  event_name?: string;
  user_id?: string;
  metric?: string;
  idempotency_key?: string;
  metadata?: string[];
  from?: string;
  to?: string;
  corrected?: boolean;
  sort?: EventSort;
}

function given(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed ? trimmed : undefined;
}

/** What is empty is left out, so that the same question has one spelling (and one place in the cache). */
export function eventParameters(filters: EventFilters): EventParameters {
  const team = given(filters.team);
  const all: EventParameters = {
    team_id: team,
    search: given(filters.search),
    event_name: given(filters.name),
    user_id: given(filters.user),
    metric: given(filters.metric),
    idempotency_key: given(filters.key),
    metadata: filters.metadata?.length ? [...filters.metadata] : undefined,
    from: given(filters.from),
    to: given(filters.to),
    corrected: filters.corrected,
    sort: sortOf(filters.sort, team),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** Events of all teams have one clock alone, that of recording; another sort is dropped. */
export function sortOf(sort: EventSort | undefined, team: string | undefined): EventSort | undefined {
  return team === undefined && sort?.endsWith("occurred_at") ? undefined : sort;
}

/** The sort that holds where none is asked for. */
export function defaultSort(team: string | undefined): EventSort {
  return team ? "-occurred_at" : "-recorded_at";
}

/** How many filters there are beside the team, the search and the sort: what a closed filter panel hides. */
export function countOfFilters(filters: EventFilters): number {
  const { name, user, metric, key, from, to, corrected, metadata } = filters;
  const single = [name, user, metric, key, from, to].filter((text) => given(text)).length;
  return single + (corrected === undefined ? 0 : 1) + (metadata?.length ?? 0);
}

const TEXTS = ["team", "search", "name", "user", "metric", "key", "from", "to"] as const;
const SORTS: readonly string[] = ["-occurred_at", "occurred_at", "-recorded_at", "recorded_at"];

/** The filters in a URL's query; what is not a filter is left alone. */
export function filtersFromUrl(query: URLSearchParams): EventFilters {
  const filters: EventFilters = {};
  for (const name of TEXTS) {
    const text = given(query.get(name) ?? undefined);
    if (text) filters[name] = text;
  }
  const metadata = query.getAll("metadata").filter((pair) => pair.includes("="));
  if (metadata.length) filters.metadata = metadata;
  const corrected = query.get("corrected");
  if (corrected === "true" || corrected === "false") filters.corrected = corrected === "true";
  const sort = query.get("sort");
  if (sort && SORTS.includes(sort)) filters.sort = sort as EventSort;
  return filters;
}

/** The URL's query that says these filters. */
export function filtersToUrl(filters: EventFilters): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of TEXTS) {
    const text = given(filters[name]);
    if (text) query.set(name, text);
  }
  for (const pair of filters.metadata ?? []) query.append("metadata", pair);
  if (filters.corrected !== undefined) query.set("corrected", String(filters.corrected));
  if (filters.sort) query.set("sort", filters.sort);
  return query;
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useApi } from "../context";
import { parseExact } from "./exact";
import { eventParameters, type EventFilters } from "./filters";
import { readPage, type EventPage, type EventTrace, type ShownPage } from "./pages";

/** One page of the event log. `cursor` is the `next` of the page before; none: the first page. */
export function useEvents(filters: EventFilters, { size = 50, cursor }: { size?: number; cursor?: string } = {}) {
  const api = useApi();
  const parameters = eventParameters(filters);
  return useQuery<ShownPage>({
    queryKey: ["tallystick", "events", parameters, size, cursor ?? null],
    queryFn: ({ signal }) =>
      readPage(
        async (query) => {
          const answer = await api.raw("/api/usage/events", { ...parameters, ...query }, { signal });
          return parseExact(await answer.text()) as EventPage;
        },
        size,
        cursor,
      ),
    placeholderData: keepPreviousData,
  });
}

/** Everything known about one event; nothing is asked for while `id` is null. */
export function useEventTrace(id: string | null) {
  const api = useApi();
  return useQuery<EventTrace>({
    queryKey: ["tallystick", "trace", id],
    enabled: id !== null,
    queryFn: async ({ signal }) => {
      const answer = await api.raw(`/api/usage/events/${encodeURIComponent(id ?? "")}/trace`, {}, { signal });
      return parseExact(await answer.text()) as EventTrace;
    },
  });
}

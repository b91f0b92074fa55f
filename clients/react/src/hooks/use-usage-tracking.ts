import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

import { useApi, useTeamId } from "../context";

export type UsageEvent = {
  event_name: string;
  quantity: string;
  unit?: string;
  user_id?: string;
  metadata?: Record<string, string | number | boolean | null>;
  /** When it happened, RFC 3339; now if not given. */
  timestamp?: string;
  /** The same event is counted once, however often it is sent; one is made if not given. */
  idempotency_key?: string;
};

/**
 * Tracks usage from the page: for tools and tests, with a key whose scope is `ingest`.
 *
 * What is billed should be tracked by a server: a browser can be told to say anything.
 */
export function useUsageTracking(teamId?: string | null) {
  const api = useApi();
  const team = useTeamId(teamId);
  const queries = useQueryClient();
  const mutation = useMutation({
    mutationFn: (events: readonly UsageEvent[]) =>
      api.post("/api/usage/track", events.map((event) => ({ team_id: team, ...event }))),
    retry: 5,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["tallystick", "report", team] }),
  });
  const { mutateAsync } = mutation;
  const track = useCallback(
    (...events: UsageEvent[]) =>
      // The key is made before the first attempt: a second one is then the same event.
      mutateAsync(events.map((event) => ({ idempotency_key: crypto.randomUUID(), ...event }))),
    [mutateAsync],
  );
  return { track, isPending: mutation.isPending, error: mutation.error };
}

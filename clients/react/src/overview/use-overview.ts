import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useRef } from "react";

import type { Problem } from "../api/problem";
import type { Schema } from "../api/types";
import { useApi } from "../context";
import { useLive } from "../live/use-live";

export type Overview = Schema<"OverviewAnswer">;
export type Spender = Schema<"SpenderAnswer">;

const KEY = ["tallystick", "overview"] as const;
const REFRESH_MS = 1_000;

/** `GET /api/overview`: all teams together, asked for again as usage moves. */
export function useOverview() {
  const api = useApi();
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const refresh = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      void queries.invalidateQueries({ queryKey: KEY });
    }, REFRESH_MS);
  }, [queries]);
  const live = useLive(null, { onTouched: refresh, onAlert: refresh });
  const overview = useQuery<Overview, Problem>({
    queryKey: KEY,
    refetchInterval: 60_000,
    queryFn: ({ signal }) => api.get("/api/overview", undefined, { signal }),
  });
  return { overview, live };
}

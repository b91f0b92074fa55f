import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import type { Problem } from "../api/problem";
import { useApi } from "../context";
import { follow, type StreamState } from "./stream";
import type { LiveAlert, LiveTouched, LiveUsage } from "./types";

export type LiveState = {
  state: StreamState;
  /** When something was heard last; what is shown is from then while the connection is away. */
  heardAt: Date | null;
  problem: Problem | null;
  usage: LiveUsage | null;
  lastAlert: LiveAlert | null;
};

export type LiveHandlers = {
  onUsage?: (usage: LiveUsage) => void;
  onTouched?: (touched: LiveTouched) => void;
  onAlert?: (alert: LiveAlert) => void;
  /** After the connection was away: something may have been missed. */
  onReconnect?: () => void;
};

const NOTHING: LiveState = { state: "connecting", heardAt: null, problem: null, usage: null, lastAlert: null };

/** Follows `GET /api/live` of one team, or of all (`null`), and reconnects for as long as it is mounted. */
export function useLive(teamId: string | null, handlers: LiveHandlers = {}, enabled = true): LiveState {
  const api = useApi();
  const queries = useQueryClient();
  const [live, setLive] = useState(NOTHING);
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    if (!enabled) return;
    const over = new AbortController();
    let opened = 0;
    const change = (change: Partial<LiveState>) => !over.signal.aborted && setLive((before) => ({ ...before, ...change }));
    setLive(NOTHING);
    void follow(api, "/api/live", { team_id: teamId }, {
      signal: over.signal,
      onState: (state, problem) => {
        change({ state, problem: problem ?? null });
        if (state === "open" && opened++ > 0) {
          void queries.invalidateQueries();
          latest.current.onReconnect?.();
        }
      },
      onEvent: ({ event, data }) => {
        change({ heardAt: new Date() });
        if (event === "usage") {
          change({ usage: data as LiveUsage });
          latest.current.onUsage?.(data as LiveUsage);
        } else if (event === "touched") {
          latest.current.onTouched?.(data as LiveTouched);
        } else if (event === "alert") {
          change({ lastAlert: data as LiveAlert });
          latest.current.onAlert?.(data as LiveAlert);
        }
      },
    });
    return () => over.abort();
  }, [api, queries, teamId, enabled]);
  return live;
}

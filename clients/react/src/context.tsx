import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createContext, useContext, useEffect, useMemo, useRef, type ReactNode } from "react";

import { Api, type Token } from "./api/client";
import { Problem } from "./api/problem";
import type { Session } from "./api/types";

export type TallystickProviderProps = {
  children: ReactNode;
  /** Where Tallystick answers; empty is the page's own origin. */
  baseUrl?: string;
  /** A portal token, an API key, or a function that gets one. Never put an admin key into a page. */
  token?: Token;
  /** Told when the token is refused, for getting another or asking for a login. */
  onUnauthorized?: (problem: Problem) => void;
  /** The team that components show which name none. */
  teamId?: string | null;
  /** Who asks; the dashboard gives what `GET /api/session` said. */
  session?: Session | null;
  /** The host's own client, if it has one. */
  queryClient?: QueryClient;
};

export type Tallystick = {
  api: Api;
  teamId: string | null;
  session: Session | null;
};

const Context = createContext<Tallystick | null>(null);

/** Gives every component and hook below the API that they ask. */
export function TallystickProvider(props: TallystickProviderProps) {
  const { children, baseUrl = "", teamId = null, session = null, queryClient } = props;
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const api = useMemo(() => {
    const token = async () => {
      const { token } = latest.current;
      return typeof token === "function" ? token() : (token ?? null);
    };
    return new Api({ baseUrl, token, onUnauthorized: (problem) => latest.current.onUnauthorized?.(problem) });
  }, [baseUrl]);
  const client = useMemo(() => queryClient ?? newQueryClient(), [queryClient]);
  const value = useMemo(() => ({ api, teamId, session }), [api, teamId, session]);
  return (
    <QueryClientProvider client={client}>
      <Context value={value}>{children}</Context>
    </QueryClientProvider>
  );
}

/** What the provider above gives. */
export function useTallystick(): Tallystick {
  const found = useContext(Context);
  if (!found) throw new Error("This component needs a <TallystickProvider> above it.");
  return found;
}

export function useApi(): Api {
  return useTallystick().api;
}

/** The team that was named, else the provider's, else the only one that the token is for. */
export function useTeamId(named?: string | null): string | null {
  const { teamId, session } = useTallystick();
  return named ?? teamId ?? session?.team_id ?? null;
}

/** Retries what may pass, with growing pauses; what was refused is not asked again. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (count, error) => count < 4 && error instanceof Problem && error.transient,
        retryDelay: (count) => Math.min(1000 * 2 ** count, 10_000),
        refetchOnWindowFocus: false,
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
}

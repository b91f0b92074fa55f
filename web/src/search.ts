/** What a page shows, kept in the address: links can be shared, and Back undoes a filter. */

import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** One value in the query of the address; the fallback is left out of it. */
export function useSearchParam(name: string, fallback = ""): [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const set = useCallback(
    (value: string) =>
      setSearch(
        (before) => {
          const next = new URLSearchParams(before);
          if (value === fallback) next.delete(name);
          else next.set(name, value);
          return next;
        },
        { replace: true },
      ),
    [setSearch, name, fallback],
  );
  return [search.get(name) ?? fallback, set];
}

/** Several values together. */
export function useSearchState<State extends Record<string, string>>(defaults: State): [State, (change: Partial<State>) => void] {
  const [search, setSearch] = useSearchParams();
  const state = Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, search.get(name) ?? value])) as State;
  const set = (change: Partial<State>) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [name, value] of Object.entries(change)) {
          if (value === undefined || value === defaults[name]) next.delete(name);
          else next.set(name, value);
        }
        return next;
      },
      { replace: true },
    );
  return [state, set];
}

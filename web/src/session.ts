/** Who is logged in: the token in this tab's session storage, and what the server says of it. */

import { useSyncExternalStore } from "react";

const KEY = "tallystick.token";
const listeners = new Set<() => void>();

/** A token may come in the fragment (`#token=tpt_…`), which no server sees; it is taken out of the address. */
export function takeTokenFromAddress(): void {
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!found) return;
  setToken(found);
  history.replaceState(history.state, "", location.pathname + location.search);
}

export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

export function setToken(value: string | null): void {
  if (value === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
  for (const tell of listeners) tell();
}

export function useToken(): string | null {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, token);
}

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import type { Schema } from "../api/types";
import { useApi, useTallystick, useTeamId } from "../context";
import { useLive } from "../live/use-live";

export type Alert = Schema<"AlertAnswer">;
export type AlertStatus = Schema<"StatusAnswer">;
export type AlertState = AlertStatus["state"];
export type Transition = Schema<"TransitionAnswer">;
export type Tested = Schema<"TestedAnswer">;
export type AlertRequest = Schema<"AlertRequest">;
export type Preferences = Schema<"PreferencesModel">;
export type Channel = Schema<"ChannelAnswer">;

interface Page<Row> {
  data: Row[];
  next_cursor: string | null;
}

export const ALERTS = ["tallystick", "alerts"] as const;
const MINUTE = 60_000;

/** An alert with how it stands; null where no team was named, or the alert is not active. */
export interface StandingAlert {
  alert: Alert;
  status: AlertStatus | null;
}

/**
 * Alerts, those about a team with how they stand now, which the live stream keeps up to date; and what changes them.
 *
 * Without `teamId` the team is the provider's; with null it is every alert, without how it stands.
 */
export function useUsageAlerts(options: { teamId?: string | null } = {}) {
  const provided = useTeamId(options.teamId);
  const teamId = options.teamId === null ? null : provided;
  const api = useApi();
  const client = useQueryClient();
  const changed = () => client.invalidateQueries({ queryKey: ALERTS });
  const again = useThrottled(() => void changed(), 2000);
  useLive(teamId, { onUsage: again, onAlert: again }, teamId !== null);
  const alerts = useQuery<Alert[]>({
    queryKey: [...ALERTS, "list", teamId],
    queryFn: async ({ signal }) => {
      const query = { team_id: teamId ?? undefined, limit: 1000 };
      return (await api.get<Page<Alert>>("/api/usage/alerts", query, { signal })).data;
    },
  });
  const statuses = useQuery<AlertStatus[]>({
    queryKey: [...ALERTS, "status", teamId],
    enabled: teamId !== null,
    refetchInterval: MINUTE,
    queryFn: async ({ signal }) => {
      const query = { team_id: teamId ?? "" };
      return (await api.get<Schema<"StatusesAnswer">>("/api/usage/alerts/status", query, { signal })).data;
    },
  });
  const save = useMutation({
    mutationFn: ({ id, wanted }: { id: number | null; wanted: AlertRequest }) =>
      id === null ? api.post<Alert>("/api/usage/alerts", wanted) : api.patch<Alert>(`/api/usage/alerts/${id}`, wanted),
    onSuccess: changed,
  });
  const switchTo = useMutation({
    mutationFn: ({ id, active }: { id: number; active: boolean }) => api.patch<Alert>(`/api/usage/alerts/${id}`, { active }),
    onSuccess: changed,
  });
  const remove = useMutation({
    mutationFn: (id: number) => api.delete(`/api/usage/alerts/${id}`),
    onSuccess: changed,
  });
  const test = useMutation({
    mutationFn: ({ id, team }: { id: number; team: string | null }) =>
      api.post<Tested>(`/api/usage/alerts/${id}/test`, team === null ? {} : { team_id: team }),
  });
  return { alerts, statuses, standing: standing(alerts.data, statuses.data), save, switchTo, remove, test };
}

/** At most one call in so many milliseconds, the last one never lost. */
function useThrottled(call: () => void, pause: number): () => void {
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef(call);
  useEffect(() => {
    latest.current = call;
  });
  useEffect(() => () => void (timer.current && clearTimeout(timer.current)), []);
  return useCallback(() => {
    if (timer.current) return;
    latest.current();
    timer.current = setTimeout(() => {
      timer.current = null;
      latest.current();
    }, pause);
  }, [pause]);
}

function standing(alerts: Alert[] | undefined, statuses: AlertStatus[] | undefined): StandingAlert[] | undefined {
  return alerts?.map((alert) => ({ alert, status: statuses?.find((status) => status.alert_id === alert.id) ?? null }));
}

/** What was crossed and resolved, the newest first, page by page. */
export function useAlertHistory(teamId: string | null, alertId: number | null = null, size = 25) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: [...ALERTS, "history", teamId, alertId, size],
    initialPageParam: undefined as string | undefined,
    refetchInterval: MINUTE,
    queryFn: ({ pageParam, signal }) => {
      const query = { team_id: teamId ?? undefined, alert_id: alertId ?? undefined, limit: size, cursor: pageParam };
      return api.get<Page<Transition>>("/api/usage/alerts/history", query, { signal });
    },
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** Measures the number of a change of state again, from what was known then. */
export function useVerifyTransition() {
  const api = useApi();
  return useMutation({
    mutationFn: (id: number) => api.get<Schema<"VerifiedAnswer">>(`/api/usage/alerts/history/${id}/verify`),
  });
}

/** How a team wants to be told, and a way to say it. */
export function useAlertPreferences(teamId: string) {
  const api = useApi();
  const client = useQueryClient();
  const key = ["tallystick", "preferences", teamId];
  const path = `/api/notifications/preferences/${encodeURIComponent(teamId)}`;
  const preferences = useQuery<Preferences>({
    queryKey: key,
    queryFn: ({ signal }) => api.get<Preferences>(path, {}, { signal }),
  });
  const save = useMutation({
    mutationFn: (wanted: Preferences) => api.put<Preferences>(path, wanted),
    onSuccess: (saved) => client.setQueryData(key, saved),
  });
  return { preferences, save };
}

/** The channels there are. Only an admin may see them. */
export function useChannels() {
  const api = useApi();
  const may = useMayEdit();
  return useQuery<Channel[]>({
    queryKey: ["tallystick", "channels"],
    enabled: may,
    queryFn: async ({ signal }) =>
      (await api.get<Page<Channel>>("/api/notifications/channels", {}, { signal })).data,
  });
}

/** Whether who asks may change anything; the server decides, this only hides what it would refuse. */
export function useMayEdit(): boolean {
  const { session } = useTallystick();
  return session === null || session.scopes.includes("admin");
}

/** Names to choose from: of teams and metrics. */

import { useApi, useTallystick } from "@tallystick/react";
import { useQuery } from "@tanstack/react-query";

type Team = { id: string; name: string | null; time_zone: string };

/** The first teams; a key for one team has that one. */
export function useTeamNames(): readonly Team[] {
  const { session } = useTallystick();
  const api = useApi();
  const found = useQuery({
    queryKey: ["names", "teams"],
    enabled: !session?.team_id,
    staleTime: 60_000,
    queryFn: async ({ signal }) => (await api.get<{ data: Team[] }>("/api/teams", { limit: "200" }, { signal })).data,
  });
  return found.data ?? NONE;
}

type Meter = { slug: string };

/** The names of all metrics. */
export function useMetricNames(): readonly string[] {
  const api = useApi();
  const found = useQuery({
    queryKey: ["names", "metrics"],
    staleTime: 60_000,
    queryFn: async ({ signal }) => (await api.get<Meter[]>("/api/v1/meters", {}, { signal })).map((meter) => meter.slug),
  });
  return found.data ?? NO_NAMES;
}

const NONE: readonly Team[] = [];
const NO_NAMES: readonly string[] = [];

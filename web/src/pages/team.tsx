import { EmptyState, Skeleton, UsageDashboard, UsageForecast, useApi, type Problem, type Schema } from "@tallystick/react";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Link } from "wouter";

import { useSearchState } from "../search";
import { PageHead } from "../shell/page-head";

const EventsForTeam = lazy(() => import("./team-parts").then((parts) => ({ default: parts.EventsForTeam })));
const StatementForTeam = lazy(() => import("./team-parts").then((parts) => ({ default: parts.StatementForTeam })));
const AlertsForTeam = lazy(() => import("./team-parts").then((parts) => ({ default: parts.AlertsForTeam })));

const TABS = [
  ["usage", "Usage"],
  ["forecast", "Forecast"],
  ["bill", "Bill"],
  ["events", "Events"],
  ["alerts", "Alerts"],
] as const;

/** One team: usage now, where it leads, its bill, its events and its alerts. */
export function TeamPage({ teamId, tab }: { teamId: string; tab: string }) {
  const [view, setView] = useSearchState({ window: "day", metric: "", group: "" });
  const name = useName(teamId);
  const at = `/teams/${encodeURIComponent(teamId)}`;
  return (
    <>
      <PageHead title={name} hint={teamId} />
      <nav className="app-tabs" aria-label={`Parts of ${teamId}`}>
        {TABS.map(([name, title]) => (
          <Link key={name} href={name === "usage" ? at : `${at}/${name}`} className="app-tab" aria-current={name === tab ? "page" : undefined}>
            {title}
          </Link>
        ))}
      </nav>
      {tab === "usage" && <UsageDashboard teamId={teamId} view={view} onViewChange={setView} />}
      {tab === "forecast" && <UsageForecast teamId={teamId} />}
      <Suspense fallback={<Skeleton height={420} />}>
      {tab === "bill" && <StatementForTeam teamId={teamId} />}
      {tab === "events" && <EventsForTeam teamId={teamId} />}
      {tab === "alerts" && <AlertsForTeam teamId={teamId} />}
      </Suspense>
      {!TABS.some(([name]) => name === tab) && <EmptyState title="A team has no such page" />}
    </>
  );
}

/** What the team is called; its id until that is known. */
function useName(teamId: string): string {
  const api = useApi();
  const team = useQuery<Schema<"TeamAnswer">, Problem>({
    queryKey: ["tallystick", "team", teamId],
    staleTime: 300_000,
    queryFn: ({ signal }) => api.get(`/api/teams/${encodeURIComponent(teamId)}`, undefined, { signal }),
  });
  return team.data?.name ?? teamId;
}

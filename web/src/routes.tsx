import { EmptyState, Skeleton, type Session } from "@tallystick/react";
import { lazy, Suspense, type ReactNode } from "react";
import { Link, Redirect, Route, Switch } from "wouter";

import { OverviewPage } from "./pages/overview";

const TeamPage = lazy(() => import("./pages/team").then((page) => ({ default: page.TeamPage })));
const EventsPage = lazy(() => import("./pages/events").then((page) => ({ default: page.EventsPage })));
const StatementsPage = lazy(() => import("./pages/statements").then((page) => ({ default: page.StatementsPage })));
const AlertsPage = lazy(() => import("./pages/alerts").then((page) => ({ default: page.AlertsPage })));
const CataloguePage = lazy(() => import("./pages/catalogue").then((page) => ({ default: page.CataloguePage })));
const StatusPage = lazy(() => import("./pages/status").then((page) => ({ default: page.StatusPage })));
const EmbedPage = lazy(() => import("./pages/embed").then((page) => ({ default: page.EmbedPage })));

/** Every address that the dashboard has. */
export function Pages({ session }: { session: Session }) {
  return (
    <Suspense fallback={<Waiting />}>
      <Switch>
        <Route path="/">{session.team_id ? <Redirect to={`/teams/${encodeURIComponent(session.team_id)}`} replace /> : <OverviewPage />}</Route>
        <Route path="/teams/:teamId/:tab?">{(params) => <TeamPage teamId={decodeURIComponent(params.teamId)} tab={params.tab ?? "usage"} />}</Route>
        <Route path="/events" component={EventsPage} />
        <Route path="/invoices" component={StatementsPage} />
        <Route path="/alerts" component={AlertsPage} />
        <Route path="/catalogue" component={CataloguePage} />
        <Route path="/status" component={StatusPage} />
        <Route path="/embed/:part">{(params) => <EmbedPage part={params.part} />}</Route>
        <Route>
          <NotHere />
        </Route>
      </Switch>
    </Suspense>
  );
}

function NotHere(): ReactNode {
  return (
    <EmptyState title="There is no such page">
      The address may be mistyped. <Link href="/" className="ts-link">Go to the start</Link>
    </EmptyState>
  );
}

function Waiting() {
  return (
    <div className="ts-stack" aria-busy="true">
      <Skeleton height={32} width={220} />
      <Skeleton height={120} />
      <Skeleton height={320} />
    </div>
  );
}

import {
  EVENT_COLUMNS,
  filtersFromUrl,
  filtersToUrl,
  StatementList,
  StatementView,
  InvoiceTable,
  UsageAlertsManager,
  UsageDetailsTable,
  useStatement,
  Card,
  type AlertsTab,
  type EventColumn,
  type EventFilters,
} from "@tallystick/react";
import { useCallback, useMemo } from "react";
import { useSearchParams } from "wouter";

import { useSearchParam } from "../search";
import { useMetricNames, useTeamNames } from "./names";

export function EventsForTeam({ teamId }: { teamId: string }) {
  return <Events teamId={teamId} />;
}

const OTHERS = ["event", "columns"];

/** The event log with its filters, columns and open event in the address. */
export function Events({ teamId }: { teamId?: string }) {
  const [search, setSearch] = useSearchParams();
  const teams = useTeamNames();
  const metrics = useMetricNames();
  const filters = useMemo(() => filtersFromUrl(search), [search]);
  const change = useCallback(
    (changed: EventFilters) =>
      setSearch(
        (before) => {
          const next = filtersToUrl(teamId ? { ...changed, team: undefined } : changed);
          for (const name of OTHERS) if (before.get(name)) next.set(name, before.get(name) ?? "");
          return next;
        },
        { replace: true },
      ),
    [setSearch, teamId],
  );
  const [event, setEvent] = useSearchParam("event");
  const [columns, setColumns] = useSearchParam("columns");
  return (
    <UsageDetailsTable
      teamId={teamId}
      filters={filters}
      onFiltersChange={change}
      teams={teams}
      metrics={metrics}
      columns={columnsOf(columns)}
      onColumnsChange={(chosen) => setColumns(chosen.join(","))}
      openEvent={event || null}
      onOpenEvent={(id) => setEvent(id ?? "")}
    />
  );
}

function columnsOf(text: string): EventColumn[] | undefined {
  const chosen = text.split(",");
  const known = EVENT_COLUMNS.filter((name) => chosen.includes(name));
  return known.length > 0 ? known : undefined;
}

/** The open statement of a team, its closed ones, and its invoices. */
export function StatementForTeam({ teamId }: { teamId: string }) {
  const [statement] = useSearchParam("statement");
  const [line, setLine] = useSearchParam("line");
  const [event, setEvent] = useSearchParam("event");
  const [, setSearch] = useSearchParams();
  const open = useCallback(
    (id: number | null) =>
      setSearch((before) => {
        const next = new URLSearchParams(before);
        next.delete("line");
        next.delete("event");
        if (id === null) next.delete("statement");
        else next.set("statement", String(id));
        return next;
      }),
    [setSearch],
  );
  const zone = useStatement({ teamId }).data?.time_zone;
  const chosen = /^\d+$/.test(statement) ? Number(statement) : null;
  return (
    <div className="app-bill">
      <div className="app-bill-side">
        <Card title="Statements">
          <button type="button" className="app-open-period" aria-current={chosen === null || undefined} onClick={() => open(null)}>
            Open statement
          </button>
          <StatementList teamId={teamId} chosen={chosen} onChoose={open} zoneOf={() => zone} />
        </Card>
      </div>
      <div className="app-bill-main">
        <StatementView
          teamId={teamId}
          statementId={chosen}
          onOpenStatement={open}
          openLine={line || null}
          onOpenLine={(key) => setLine(key ?? "")}
          openEvent={event || null}
          onOpenEvent={(id) => setEvent(id ?? "")}
        />
        <Card title="Invoices">
          <InvoiceTable teamId={teamId} onOpenStatement={open} />
        </Card>
      </div>
    </div>
  );
}

/** A team's alerts. */
export function AlertsForTeam({ teamId }: { teamId: string | null }) {
  const [tab, setTab] = useSearchParam("show", "alerts");
  const metrics = useMetricNames();
  return <UsageAlertsManager teamId={teamId} metrics={metrics} tab={tab as AlertsTab} onTabChange={setTab} />;
}

import { getCoreRowModel, useReactTable, type VisibilityState } from "@tanstack/react-table";
import { useEffect, useMemo, useState } from "react";
import { ErrorState } from "../ui/ui";
import { COLUMN_TITLES, DEFAULT_COLUMNS, EVENT_COLUMNS, eventColumns, type EventColumn } from "./columns";
import { ColumnPicker } from "./column-picker";
import { EventExport } from "./event-export";
import { EventFilterBar } from "./event-filter-bar";
import { EventTraceDrawer } from "./event-trace-drawer";
import { EventsPager } from "./events-pager";
import { EventsTable } from "./events-table";
import { SortChoice } from "./sort-choice";
import { defaultSort, eventParameters, type EventFilters } from "./filters";
import { useEvents } from "./use-events";

export interface UsageDetailsTableProps {
  /** Events of this team alone; the filter for teams is gone then. */
  teamId?: string;
  /** The filters, where the host keeps them (in its URL, for example). */
  filters?: EventFilters;
  onFiltersChange?: (filters: EventFilters) => void;
  /** Teams and metrics to choose from. */
  teams?: readonly { id: string; name?: string | null }[];
  metrics?: readonly string[];
  /** The columns that are shown at first. */
  columns?: readonly EventColumn[];
  /** Told when somebody chooses other columns. */
  onColumnsChange?: (columns: EventColumn[]) => void;
  /** The event whose trace is open, where the host keeps that. */
  openEvent?: string | null;
  onOpenEvent?: (id: string | null) => void;
  /** Events of one page. */
  pageSize?: number;
}

/**
 * The event log: filters, search, sort, pages over any number of rows, a choice of columns, every event's trace, and
 * a file of what is shown.
 */
export function UsageDetailsTable(props: UsageDetailsTableProps) {
  const { teamId, teams = [], metrics = [], pageSize = 50 } = props;
  const [ownFilters, setOwnFilters] = useState<EventFilters>({});
  const [ownOpen, setOwnOpen] = useState<string | null>(null);
  const [columns, setColumns] = useState<readonly EventColumn[]>(props.columns ?? DEFAULT_COLUMNS);

  const given = props.filters ?? ownFilters;
  const filters = useMemo(() => (teamId ? { ...given, team: teamId } : given), [given, teamId]);
  const change = props.onFiltersChange ?? setOwnFilters;
  const open = props.openEvent === undefined ? ownOpen : props.openEvent;
  const setOpen = props.onOpenEvent ?? setOwnOpen;
  const shown = useMemo(() => columns.filter((name) => name !== "team_id" || !teamId), [columns, teamId]);

  const { cursor, place, forward, back } = useCursors(JSON.stringify(eventParameters(filters)));
  const found = useEvents(filters, { size: pageSize, cursor });
  const events = found.data?.events ?? NONE;
  const visibility = useMemo(() => visible(shown), [shown]);
  const table = useReactTable({
    data: events,
    columns: eventColumns,
    state: { columnVisibility: visibility },
    getCoreRowModel: getCoreRowModel(),
    getRowId: (event) => event.id,
    manualPagination: true,
    manualSorting: true,
    manualFiltering: true,
  });

  return (
    <section className="ts-root ts-events" aria-label="Events">
      <EventFilterBar filters={filters} onChange={change} teams={teamId ? null : teams} metrics={metrics} />
      <div className="ts-events__tools">
        <SortChoice sort={filters.sort ?? defaultSort(filters.team)} team={filters.team} onChange={(sort) => change({ ...given, sort })} />
        <ColumnPicker
          all={EVENT_COLUMNS.filter((name) => name !== "team_id" || !teamId)}
          titles={COLUMN_TITLES}
          chosen={shown}
          onChange={(chosen) => {
            setColumns(chosen);
            props.onColumnsChange?.(chosen);
          }}
        />
        <EventExport filters={filters} columns={shown} />
      </div>
      {found.isError ? (
        <ErrorState error={found.error} onRetry={() => void found.refetch()} />
      ) : (
        <>
          <EventsTable
            table={table}
            loading={found.isPending}
            stale={found.isPlaceholderData}
            size={pageSize}
            sort={filters.sort ?? defaultSort(filters.team)}
            sortable={(name) => name === "recorded_at" || Boolean(filters.team)}
            onSort={(sort) => change({ ...given, sort })}
            onOpen={setOpen}
            filtered={Object.keys(eventParameters(teamId ? given : filters)).length > 0}
            lookedTo={found.data?.lookedTo ?? null}
          />
          <EventsPager
            place={place}
            count={events.length}
            lookedTo={found.data?.lookedTo ?? null}
            busy={found.isFetching}
            onBack={place > 1 ? back : null}
            onForward={found.data?.next ? () => forward(found.data.next) : null}
          />
        </>
      )}
      <EventTraceDrawer id={open} onOpen={setOpen} onClose={() => open !== null && setOpen(null)} />
    </section>
  );
}

const NONE: never[] = [];

function visible(columns: readonly EventColumn[]): VisibilityState {
  return Object.fromEntries(EVENT_COLUMNS.map((name) => [name, columns.includes(name)]));
}

/** The cursors of the pages up to the one in sight; another question begins at the first page again. */
function useCursors(question: string) {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const [asked, setAsked] = useState(question);
  useEffect(() => setAsked(question), [question]);
  const current = asked === question ? cursors : NONE;
  useEffect(() => setCursors([]), [question]);
  return {
    cursor: current.at(-1),
    place: current.length + 1,
    forward: (next: string | null) => next && setCursors([...current, next]),
    back: () => setCursors(current.slice(0, -1)),
  };
}

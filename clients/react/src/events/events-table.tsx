import { flexRender, type Table } from "@tanstack/react-table";
import { EmptyState, Time } from "../ui/ui";
import { COLUMN_TITLES, isEmpty, type EventColumn } from "./columns";
import type { EventSort } from "./filters";
import type { UsageEvent } from "./pages";

export interface EventsTableProps {
  table: Table<UsageEvent>;
  loading: boolean;
  /** The rows are those of the question before; the new ones are on their way. */
  stale: boolean;
  size: number;
  sort: EventSort;
  sortable: (column: "occurred_at" | "recorded_at") => boolean;
  onSort: (sort: EventSort) => void;
  onOpen: (id: string) => void;
  /** Whether anything was filtered: why there may be nothing. */
  filtered: boolean;
  lookedTo: string | null;
}

/** The rows of one page. On a narrow screen each row is a card. */
export function EventsTable(props: EventsTableProps) {
  const { table, loading, stale } = props;
  const headers = table.getHeaderGroups()[0]?.headers ?? [];
  const rows = table.getRowModel().rows;
  if (!loading && rows.length === 0) return <NoEvents filtered={props.filtered} lookedTo={props.lookedTo} />;

  return (
    <div className="ts-scroll ts-events__frame" tabIndex={0} role="region" aria-label="Events, one a row">
      <table className="ts-table ts-table--cards" aria-busy={loading || stale} data-stale={stale || undefined}>
        <thead>
          <tr>
            {headers.map((header) => (
              <HeaderCell key={header.id} column={header.id as EventColumn} {...props} />
            ))}
          </tr>
        </thead>
        <tbody>
          {loading
            ? Array.from({ length: Math.min(props.size, 12) }, (_, place) => (
                <tr key={place} className="ts-table__waiting">
                  {headers.map((header) => <td key={header.id}><span className="ts-skeleton" /></td>)}
                </tr>
              ))
            : rows.map((row) => (
                <tr key={row.id} className="ts-table__row" data-corrected={row.original.correction ?? undefined}
                  onClick={(event) => {
                    if (!(event.target as Element).closest("button, a")) props.onOpen(row.id);
                  }}>
                  {row.getVisibleCells().map((cell, place) => (
                    <td key={cell.id} className={cell.column.id === "quantity" ? "ts-right" : undefined} data-column={cell.column.id} data-title={COLUMN_TITLES[cell.column.id as EventColumn]}
                      data-empty={isEmpty(cell.column.id as EventColumn, row.original) || undefined}>
                      {place === 0 ? (
                        <button type="button" className="ts-link" aria-haspopup="dialog"
                          onClick={() => props.onOpen(row.id)}>
                          {flexRender(cell.column.columnDef.cell, cell.getContext())}
                          <span className="ts-hidden">, {row.original.event_name} of {row.original.team_id}: its trace</span>
                        </button>
                      ) : (
                        flexRender(cell.column.columnDef.cell, cell.getContext())
                      )}
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
    </div>
  );
}

function HeaderCell({ column, sort, sortable, onSort }: EventsTableProps & { column: EventColumn }) {
  const title = COLUMN_TITLES[column];
  const className = column === "quantity" ? "ts-right" : undefined;
  if ((column !== "occurred_at" && column !== "recorded_at") || !sortable(column)) {
    return <th scope="col" data-column={column} className={className}>{title}</th>;
  }
  const direction = sort === column ? "ascending" : sort === `-${column}` ? "descending" : undefined;
  return (
    <th scope="col" data-column={column} aria-sort={direction ?? "none"}>
      <button type="button" className="ts-sort" onClick={() => onSort(direction === "descending" ? column : `-${column}`)}>
        {title}
        <span aria-hidden="true" className="ts-sort__arrow">
          {direction === "ascending" ? "↑" : direction === "descending" ? "↓" : "↕"}
        </span>
      </button>
    </th>
  );
}

function NoEvents({ filtered, lookedTo }: { filtered: boolean; lookedTo: string | null }) {
  if (lookedTo) {
    return (
      <EmptyState title="Nothing found so far">
        Looked back to <Time at={lookedTo} />. “Look further” goes on from there.
      </EmptyState>
    );
  }
  return filtered ? (
    <EmptyState title="No event matches">Take a filter away, or look at another interval.</EmptyState>
  ) : (
    <EmptyState title="No events yet">What is sent to <code>POST /api/usage/track</code> shows up here.</EmptyState>
  );
}

import { useState, type ReactNode } from "react";
import { useEvents } from "../events/use-events";
import { formatNumber } from "../format";
import { Badge, Button, EmptyState, ErrorState, Skeleton, Time } from "../ui/ui";
import type { ShownLine } from "./lines";
import { useLineEvents } from "./use-statement";

interface Row {
  id: string;
  at: string;
  name: string;
  /** A number, or why there is none. */
  value: string;
  note?: ReactNode;
}

interface Opening {
  onOpenEvent: (id: string) => void;
}

/** The events behind a closed line, as they were known when it was closed; of an adjustment those that caused it. */
export function ClosedLineEvents({ id, unvalued, onOpenEvent }: Opening & { id: number; unvalued: boolean }) {
  const found = useLineEvents(id);
  if (found.isError) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={200} />;
  const rows = found.data.pages.flatMap((page) => page.data).map((event) => ({
    id: event.id,
    at: event.occurred_at,
    name: event.event_name,
    value: event.value ?? (unvalued ? "no value" : "–"),
    note: event.cause && <Badge tone={event.counts ? "info" : "warn"}>{event.cause}{event.counts ? "" : ", no longer counts"}</Badge>,
  }));
  return (
    <EventRows rows={rows} title="Value" onOpenEvent={onOpenEvent} busy={found.isFetchingNextPage}
      onMore={found.hasNextPage ? () => void found.fetchNextPage() : null} />
  );
}

const SIZE = 20;

/** The events that the open line's metric counts in its interval, as they are now. */
export function OpenLineEvents({ line, teamId, metric, onOpenEvent }: Opening & { line: ShownLine; teamId: string; metric: string }) {
  const [pages, setPages] = useState(1);
  const filters = { team: teamId, metric, from: line.start, to: line.end, corrected: false };
  const found = useEvents(filters, { size: SIZE * pages });
  if (found.isError) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={200} />;
  const rows = found.data.events.map((event) => ({
    id: event.id,
    at: event.occurred_at,
    name: event.event_name,
    value: event.quantity,
    note: event.unit ?? undefined,
  }));
  return (
    <EventRows rows={rows} title="Quantity" onOpenEvent={onOpenEvent} busy={found.isPlaceholderData}
      onMore={found.data.next && SIZE * pages < 1000 ? () => setPages(pages * 2) : null} />
  );
}

interface EventRowsProps extends Opening {
  rows: readonly Row[];
  title: string;
  busy: boolean;
  onMore: (() => void) | null;
}

function EventRows({ rows, title, busy, onMore, onOpenEvent }: EventRowsProps) {
  if (rows.length === 0) return <EmptyState title="No events">Nothing was counted for this line.</EmptyState>;
  return (
    <>
      <div className="ts-scroll" tabIndex={0} role="region" aria-label="Events of the line">
        <table className="ts-table">
          <thead>
            <tr>
              <th scope="col">Happened</th>
              <th scope="col">Event</th>
              <th scope="col" className="ts-right ts-number">{title}</th>
              <th scope="col"><span className="ts-hidden">Note</span></th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <td>
                  <button type="button" className="ts-link" aria-haspopup="dialog" onClick={() => onOpenEvent(row.id)}>
                    <Time at={row.at} />
                  </button>
                </td>
                <td>{row.name || "–"}</td>
                <td className="ts-right ts-number">{formatNumber(row.value)}</td>
                <td>{row.note}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {onMore && (
        <Button disabled={busy} onClick={onMore}>
          {busy ? "Reading …" : "More events"}
        </Button>
      )}
    </>
  );
}

import { createColumnHelper, type ColumnDef } from "@tanstack/react-table";
import { formatNumber } from "../format";
import { Badge, Time } from "../ui/ui";
import { shortExact } from "./exact";
import type { UsageEvent } from "./pages";

/** The columns that an event can be shown in; the same names as in an export. */
export const EVENT_COLUMNS = [
  "occurred_at",
  "team_id",
  "event_name",
  "event_type",
  "user_id",
  "quantity",
  "unit",
  "metadata",
  "idempotency_key",
  "recorded_at",
  "correction",
  "id",
] as const;

export type EventColumn = (typeof EVENT_COLUMNS)[number];

export const COLUMN_TITLES: Record<EventColumn, string> = {
  occurred_at: "Happened",
  team_id: "Team",
  event_name: "Event",
  event_type: "Type",
  user_id: "User",
  quantity: "Quantity",
  unit: "Unit",
  metadata: "Metadata",
  idempotency_key: "Idempotency key",
  recorded_at: "Recorded",
  correction: "Correction",
  id: "Id",
};

/** What is shown until somebody chooses otherwise. */
export const DEFAULT_COLUMNS: readonly EventColumn[] = ["occurred_at", "team_id", "event_name", "user_id", "quantity", "metadata"];

const column = createColumnHelper<UsageEvent>();

/** Cells of the event table. Quantities are formatted as the text they are. */
export const eventColumns = EVENT_COLUMNS.map((name) =>
  column.accessor(name, {
    id: name,
    header: COLUMN_TITLES[name],
    cell: ({ row: { original: event } }) => <EventCell column={name} event={event} />,
  }),
) as ColumnDef<UsageEvent, unknown>[];

function EventCell({ column: name, event }: { column: EventColumn; event: UsageEvent }) {
  switch (name) {
    case "occurred_at":
    case "recorded_at":
      return <Time at={event[name]} />;
    case "quantity":
      return <span className="ts-number" data-value={event.quantity}>{formatNumber(event.quantity)}</span>;
    case "metadata":
      return <MetadataCell metadata={event.metadata} />;
    case "correction":
      return event.correction ? <CorrectionBadge kind={event.correction} /> : <Nothing />;
    case "event_name":
      return (
        <>
          <span className="ts-cut" title={event.event_name}>{event.event_name}</span>
          {event.correction && <> <CorrectionBadge kind={event.correction} /></>}
        </>
      );
    case "unit":
      return event.unit ? <>{event.unit}</> : <Nothing />;
    case "id":
    case "idempotency_key":
      return <code className="ts-cut" title={event[name]}>{event[name]}</code>;
    default: {
      const text = event[name];
      return text ? <span className="ts-cut" title={text}>{text}</span> : <Nothing />;
    }
  }
}

/** Whether a column has nothing to say of an event. */
export function isEmpty(column: EventColumn, event: UsageEvent): boolean {
  const value = event[column];
  return value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
}

/** Nothing, said so that nobody takes it for a text. */
export function Nothing() {
  return <span className="ts-muted" aria-label="none">–</span>;
}

export function CorrectionBadge({ kind }: { kind: string }) {
  return <Badge tone="warn">{kind === "void" ? "voided" : "amended"}</Badge>;
}

function MetadataCell({ metadata }: { metadata: UsageEvent["metadata"] }) {
  const members = Object.entries(metadata ?? {});
  if (members.length === 0) return <Nothing />;
  const text = members.map(([key, value]) => `${key}: ${shortExact(value)}`).join(" · ");
  return <span className="ts-cut ts-metadata" title={text}>{text}</span>;
}

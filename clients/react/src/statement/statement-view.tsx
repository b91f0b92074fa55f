import { useState } from "react";
import { EventTraceDrawer } from "../events/event-trace-drawer";
import { useTeamId } from "../context";
import { EmptyState, ErrorState, Skeleton } from "../ui/ui";
import { linesOfClosed, linesOfOpen } from "./lines";
import { StatementHead } from "./statement-head";
import { StatementLines } from "./statement-lines";
import { StatementTotals } from "./statement-totals";
import { useClosedStatement, useStatement } from "./use-statement";

export interface StatementViewProps {
  /** Whose open statement; the provider's team if it is left out. */
  teamId?: string;
  /** A closed statement by its number; without it, the open one. */
  statementId?: number | null;
  /** Go to another statement, such as the one that an adjustment corrects. */
  onOpenStatement?: (id: number) => void;
  /** The line that is open, where the host keeps it (in its URL, for example). */
  openLine?: string | null;
  onOpenLine?: (key: string | null) => void;
  /** The event whose trace is open, where the host keeps it. */
  openEvent?: string | null;
  onOpenEvent?: (id: string | null) => void;
}

/** The bill: every line opens into the steps that made it, and into its events. */
export function StatementView(props: StatementViewProps) {
  const teamId = useTeamId(props.teamId);
  const closed = typeof props.statementId === "number";
  return closed ? <Closed {...props} id={props.statementId as number} /> : <Open {...props} teamId={teamId} />;
}

function Open({ teamId, ...props }: Omit<StatementViewProps, "teamId"> & { teamId: string | null }) {
  const found = useStatement({ teamId });
  const shown = useShown(props);
  if (teamId === null) return <EmptyState title="Choose a team">A statement is about one team.</EmptyState>;
  if (found.isError) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={420} />;
  const statement = found.data;
  return (
    <section className="ts-root ts-statement" aria-label="Open statement">
      <StatementHead team={statement.team_id} start={statement.start} end={statement.end} zone={statement.time_zone}
        status="active" plan={statement.plan} />
      {statement.reason && <p className="ts-line-detail__note">There is no total: {statement.reason.replaceAll("_", " ")}.</p>}
      <StatementLines lines={linesOfOpen(statement)} teamId={statement.team_id} currency={statement.currency} zone={statement.time_zone} {...shown}
        onOpenStatement={props.onOpenStatement} />
      <StatementTotals subtotal={statement.subtotal} credits={statement.credits} total={statement.total} currency={statement.currency} open />
      <Trace {...shown} />
    </section>
  );
}

function Closed({ id, ...props }: StatementViewProps & { id: number }) {
  const found = useClosedStatement(id);
  const zone = useStatement({ teamId: found.data?.team_id }).data?.time_zone;
  const shown = useShown(props);
  if (found.isError) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={420} />;
  const statement = found.data;
  return (
    <section className="ts-root ts-statement" aria-label={`Statement ${id}`}>
      <StatementHead team={statement.team_id} start={statement.start} end={statement.end} zone={zone} status={statement.status}
        id={statement.id} kind={statement.kind} closedAt={statement.closed_at} digest={statement.digest}
        voided={statement.void_reason} />
      <StatementLines lines={linesOfClosed(statement)} teamId={statement.team_id} currency={statement.currency} zone={zone} {...shown}
        onOpenStatement={props.onOpenStatement} />
      <StatementTotals subtotal={statement.subtotal} credits={statement.credits} total={statement.total} currency={statement.currency} />
      <Trace {...shown} />
    </section>
  );
}

interface Shown {
  openLine: string | null;
  onOpenLine: (key: string | null) => void;
  openEvent: string | null;
  onOpenEvent: (id: string | null) => void;
}

/** What is open, kept by the host or here. */
function useShown(props: StatementViewProps): Shown {
  const [line, setLine] = useState<string | null>(null);
  const [event, setEvent] = useState<string | null>(null);
  return {
    openLine: props.openLine === undefined ? line : props.openLine,
    onOpenLine: props.onOpenLine ?? setLine,
    openEvent: props.openEvent === undefined ? event : props.openEvent,
    onOpenEvent: props.onOpenEvent ?? setEvent,
  };
}

function Trace({ openEvent, onOpenEvent }: Shown) {
  return <EventTraceDrawer id={openEvent} onOpen={onOpenEvent} onClose={() => openEvent !== null && onOpenEvent(null)} />;
}

import { formatMoney } from "../format";
import { Button, EmptyState, ErrorState, Skeleton } from "../ui/ui";
import { formatPeriod } from "./period";
import { StatusBadge } from "./statement-head";
import { useStatements } from "./use-statement";

export interface StatementListProps {
  /** Statements of this team; all teams without it. */
  teamId?: string | null;
  /** The one that is shown. */
  chosen?: number | null;
  onChoose: (id: number, teamId: string) => void;
  /** The zone of a team, in whose days its periods are told; the browser's without it. */
  zoneOf?: (teamId: string) => string | undefined;
}

/** Closed statements, the newest first. */
export function StatementList({ teamId = null, chosen = null, onChoose, zoneOf }: StatementListProps) {
  const found = useStatements(teamId);
  if (found.isError) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={240} />;
  const periods = found.data.pages.flatMap((page) => page.data).filter((period) => period.digest !== null);
  if (periods.length === 0 && !found.hasNextPage) {
    return <EmptyState title="No closed statements">A statement is closed once its period is over and its grace has passed.</EmptyState>;
  }
  return (
    <>
      <ul className="ts-periods">
        {periods.map((period) => (
          <li key={period.id}>
            <button type="button" aria-current={period.id === chosen || undefined} onClick={() => onChoose(period.id, period.team_id)}>
              <span className="ts-periods__when">{formatPeriod(period.start, period.end, zoneOf?.(period.team_id))}</span>
              <span className="ts-number ts-strong">{formatMoney(period.total, period.currency)}</span>
              <span className="ts-muted">{teamId ? `Statement ${period.id}` : period.team_id}{period.kind === "correction" ? ", correction" : ""}</span>
              <StatusBadge status={period.status} />
            </button>
          </li>
        ))}
      </ul>
      {found.hasNextPage && (
        <Button disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {found.isFetchingNextPage ? "Reading …" : "Older statements"}
        </Button>
      )}
    </>
  );
}

import { Badge, Button, EmptyState, ErrorState, Skeleton, Time } from "../ui/ui";
import { OF_MONEY } from "./draft";
import { STATES, writeNumber } from "./alert-words";
import { useAlertHistory, useVerifyTransition, type Alert, type Transition } from "./use-alerts";

export interface AlertHistoryProps {
  teamId: string | null;
  /** Of this alert alone. */
  alertId?: number | null;
}

/** What was crossed and resolved, by which number; each can be measured again from what was known then. */
export function AlertHistory({ teamId, alertId = null }: AlertHistoryProps) {
  const found = useAlertHistory(teamId, alertId);
  if (found.isError) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={200} />;
  const rows = found.data.pages.flatMap((page) => page.data);
  if (rows.length === 0) return <EmptyState title="Nothing was crossed yet">What an alert tells of is listed here, with its number.</EmptyState>;
  return (
    <>
      <div className="ts-scroll" tabIndex={0} role="region" aria-label="History of alerts">
        <table className="ts-table ts-table--cards">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Alert</th>
              {!teamId && <th scope="col">Team</th>}
              <th scope="col">Became</th>
              <th scope="col" className="ts-right ts-number">Number</th>
              <th scope="col" className="ts-right ts-number">Limit</th>
              <th scope="col">Told</th>
              <th scope="col"><span className="ts-hidden">Check</span></th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => <HistoryRow key={row.id} row={row} team={!teamId} />)}
          </tbody>
        </table>
      </div>
      {found.hasNextPage && (
        <Button disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {found.isFetchingNextPage ? "Reading …" : "Older"}
        </Button>
      )}
    </>
  );
}

function HistoryRow({ row, team }: { row: Transition; team: boolean }) {
  const money = OF_MONEY.has(row.terms["kind"] as Alert["kind"]) && /^[A-Z]{3}$/.test(row.unit);
  return (
    <tr>
      <td data-title="When"><Time at={row.known_at} /></td>
      <td data-title="Alert">{String(row.terms["name"] ?? row.alert_id)}</td>
      {team && <td data-title="Team">{row.team_id}</td>}
      <td data-title="Became"><Badge tone={STATES[row.to_state].tone}>{STATES[row.to_state].word}</Badge></td>
      <td data-title="Number" className="ts-right ts-number" data-value={row.value ?? undefined}>{row.value === null ? "–" : writeNumber(row.value, row.unit, money)}</td>
      <td data-title="Limit" className="ts-right ts-number">{writeNumber(row.limit, row.unit, money)}</td>
      <td data-title="Told">{row.told ? "yes" : "no"}</td>
      <td className="ts-table__act"><Check id={row.id} /></td>
    </tr>
  );
}

function Check({ id }: { id: number }) {
  const verify = useVerifyTransition();
  if (verify.data) {
    return verify.data.agrees ? <Badge tone="good">same again</Badge> : <Badge tone="bad">now {verify.data.value ?? "none"}</Badge>;
  }
  return (
    <>
      <Button size="small" variant="quiet" disabled={verify.isPending} aria-label={`Measure again: entry ${id}`} onClick={() => verify.mutate(id)}>
        {verify.isPending ? "Measuring …" : "Measure again"}
      </Button>
      {verify.isError && <p role="alert" className="ts-problem">{verify.error.message}</p>}
    </>
  );
}

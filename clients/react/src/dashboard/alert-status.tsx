import { useQuery } from "@tanstack/react-query";

import type { Problem } from "../api/problem";
import type { Schema } from "../api/types";
import { useApi } from "../context";
import { toNumber } from "../decimal";
import { formatMoney, formatNumber } from "../format";
import { Badge, Card, EmptyState, ErrorState, Meter, Skeleton, type Tone } from "../ui/ui";

type Status = Schema<"StatusAnswer">;

/** How the alerts about a team stand, with the numbers of now. */
export function useAlertStatus(teamId: string) {
  const api = useApi();
  return useQuery<Schema<"StatusesAnswer">, Problem>({
    queryKey: ["tallystick", "alert-status", teamId],
    queryFn: ({ signal }) => api.get("/api/usage/alerts/status", { team_id: teamId }, { signal }),
  });
}

export function AlertStatus({ teamId }: { teamId: string }) {
  const status = useAlertStatus(teamId);
  return (
    <Card title="Alerts" hint="Against their limits, now">
      {status.data ? <Alerts all={status.data.data} /> : status.error ? <ErrorState error={status.error} onRetry={() => void status.refetch()} /> : <Skeleton height={120} />}
    </Card>
  );
}

function Alerts({ all }: { all: readonly Status[] }) {
  if (all.length === 0) return <EmptyState title="No alert watches this team">With one, nobody is surprised by the bill.</EmptyState>;
  return (
    <ul className="ts-alerts">
      {all.map((each) => (
        <li key={`${each.alert_id} ${each.period_start}`}>
          <div className="ts-row ts-spread">
            <span>{each.name}</span>
            <Badge tone={toneOf(each.state)}>{each.state}</Badge>
          </div>
          <Meter value={share(each)} tone={toneOf(each.state)} label={`${each.name}: how much of the limit is reached`} />
          <p className="ts-muted ts-small">
            {amount(each.value, each.unit)} of {amount(each.threshold_value, each.unit)}
          </p>
        </li>
      ))}
    </ul>
  );
}

function share(status: Status): number {
  const limit = toNumber(status.threshold_value);
  return limit > 0 ? toNumber(status.value) / limit : 0;
}

function amount(value: string | null, unit: string): string {
  return /^[A-Z]{3}$/.test(unit) ? formatMoney(value, unit) : `${formatNumber(value)} ${unit}`;
}

export function toneOf(state: string): Tone {
  if (state === "ok") return "good";
  return state === "exceeded" ? "bad" : "warn";
}

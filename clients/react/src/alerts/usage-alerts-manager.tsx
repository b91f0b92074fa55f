import { useState } from "react";
import { useTeamId } from "../context";
import { Button, EmptyState, ErrorState, Segmented, Skeleton } from "../ui/ui";
import { AlertCard } from "./alert-card";
import { AlertForm } from "./alert-form";
import { AlertHistory } from "./alert-history";
import { AlertPreferences } from "./alert-preferences";
import { useMayEdit, useUsageAlerts, type StandingAlert } from "./use-alerts";

export type AlertsTab = "alerts" | "history" | "preferences";

export interface UsageAlertsManagerProps {
  /** Alerts about this team, with how they stand; the provider's team if it is left out. Null: all alerts. */
  teamId?: string | null;
  /** Names of metrics to choose from. */
  metrics?: readonly string[];
  /** What is in sight, where the host keeps it. */
  tab?: AlertsTab;
  onTabChange?: (tab: AlertsTab) => void;
}

const ORDER = { exceeded: 0, warning: 1, resolved: 2, ok: 3 } as const;

/** Alerts: how they stand, making and editing them, tests, what they told, and how a team wants to be told. */
export function UsageAlertsManager(props: UsageAlertsManagerProps) {
  const found = useTeamId(props.teamId);
  const teamId = props.teamId === null ? null : found;
  const [own, setOwn] = useState<AlertsTab>("alerts");
  const tab = props.tab ?? own;
  const options: { value: AlertsTab; label: string }[] = [
    { value: "alerts", label: "Alerts" },
    { value: "history", label: "History" },
    ...(teamId === null ? [] : [{ value: "preferences" as const, label: "Preferences" }]),
  ];
  return (
    <section className="ts-root ts-alerts-manager" aria-label="Alerts">
      <Segmented label="What is shown" options={options} value={tab === "preferences" && teamId === null ? "alerts" : tab}
        onChange={props.onTabChange ?? setOwn} />
      {tab === "history" ? (
        <AlertHistory teamId={teamId} />
      ) : tab === "preferences" && teamId !== null ? (
        <AlertPreferences teamId={teamId} />
      ) : (
        <Alerts teamId={teamId} metrics={props.metrics ?? []} />
      )}
    </section>
  );
}

function Alerts({ teamId, metrics }: { teamId: string | null; metrics: readonly string[] }) {
  const { alerts, standing, save, ...actions } = useUsageAlerts({ teamId });
  const [edited, setEdited] = useState<StandingAlert | "new" | null>(null);
  const mayEdit = useMayEdit();
  const add = mayEdit && <Button variant="primary" onClick={() => setEdited("new")}>New alert</Button>;

  return (
    <>
      {alerts.isError ? (
        <ErrorState error={alerts.error} onRetry={() => void alerts.refetch()} />
      ) : !standing ? (
        <div className="ts-alerts__list"><Skeleton height={230} /><Skeleton height={230} /></div>
      ) : standing.length === 0 ? (
        <EmptyState title="No alerts" action={add}>An alert tells you before a bill is a surprise: at 80 % of a budget, for example.</EmptyState>
      ) : (
        <>
          <div className="ts-alerts__tools">
            <p className="ts-muted" role="status">{summary(standing)}</p>
            {add}
          </div>
          <ul className="ts-alerts__list">
            {worstFirst(standing).map((each) => (
              <AlertCard key={each.alert.id} standing={each} teamId={teamId} actions={actions} onEdit={() => setEdited(each)} />
            ))}
          </ul>
        </>
      )}
      {edited && (
        <AlertForm key={edited === "new" ? "new" : edited.alert.id} edited={edited === "new" ? null : edited} teamId={teamId} metrics={metrics}
          save={save} onClose={() => {
            setEdited(null);
            save.reset();
          }} />
      )}
    </>
  );
}

function worstFirst(standing: readonly StandingAlert[]): StandingAlert[] {
  const rank = ({ alert, status }: StandingAlert) => (alert.active ? (status ? ORDER[status.state] : 4) : 5);
  return [...standing].sort((left, right) => rank(left) - rank(right) || left.alert.id - right.alert.id);
}

function summary(standing: readonly StandingAlert[]): string {
  const count = (state: string) => standing.filter(({ status }) => status?.state === state).length;
  const [exceeded, warning] = [count("exceeded"), count("warning")];
  const all = standing.length === 1 ? "1 alert" : `${standing.length} alerts`;
  const said = [exceeded ? `${exceeded} exceeded` : "", warning ? `${warning} warning` : ""].filter(Boolean).join(", ");
  return said ? `${all}: ${said}` : all;
}

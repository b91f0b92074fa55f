import { useState } from "react";
import { formatNumber } from "../format";
import { Badge, Button, Time } from "../ui/ui";
import { aboutOf, isFalling, isMoney, STATES, writeNumber } from "./alert-words";
import { ThresholdChart } from "./threshold-chart";
import { useMayEdit, type Alert, type StandingAlert, type Tested, type useUsageAlerts } from "./use-alerts";

export interface AlertCardProps {
  standing: StandingAlert;
  /** Whose status it is, and whose numbers a test takes. */
  teamId: string | null;
  actions: Pick<ReturnType<typeof useUsageAlerts>, "switchTo" | "remove" | "test">;
  onEdit: () => void;
}

/** One alert: how it stands, its number among its limits, and what can be done with it. */
export function AlertCard({ standing: { alert, status }, teamId, actions, onEdit }: AlertCardProps) {
  const mayEdit = useMayEdit();
  const money = isMoney(alert);
  const unit = status?.unit ?? (money ? (alert.currency ?? "") : alert.kind === "rate" ? "%" : "");
  return (
    <li className="ts-alert-card" data-state={alert.active ? (status?.state ?? undefined) : "off"}>
      <header className="ts-alert-card__head">
        <h3>{alert.name}</h3>
        {!alert.active ? <Badge>off</Badge> : status && <Badge tone={STATES[status.state].tone}>{STATES[status.state].word}</Badge>}
      </header>
      <p className="ts-muted">{aboutOf(alert)}</p>
      {status && (
        <p className="ts-alert-card__now">
          {status.value === null ? (
            <span className="ts-muted">Nothing to compare yet</span>
          ) : (
            <>
              <span className="ts-number ts-strong" data-value={status.value}>{writeNumber(status.value, unit, money)}</span>{" "}
              <span className="ts-muted">of {writeNumber(alert.threshold_value, unit, money)}</span>
            </>
          )}
        </p>
      )}
      <ThresholdChart value={status?.value ?? null} unit={unit} money={money && unit !== ""} falling={isFalling(alert)}
        tone={status === null ? undefined : status.state === "exceeded" ? "bad" : status.state === "warning" ? "warn" : "good"}
        steps={alert.steps.map((step) => ({ limit: step.limit, hard: step.type === "hard" }))} />
      <StepList standing={{ alert, status }} unit={unit} money={money} />
      {alert.last_triggered_at && <p className="ts-muted">Last crossed <Time at={alert.last_triggered_at} relative /></p>}
      {mayEdit && <Actions alert={alert} teamId={teamId} actions={actions} onEdit={onEdit} />}
    </li>
  );
}

function StepList({ standing: { alert, status }, unit, money }: { standing: StandingAlert; unit: string; money: boolean }) {
  return (
    <ul className="ts-alert-card__steps">
      {alert.steps.map((step) => {
        const state = status?.steps.find((each) => each.step.id === step.id)?.state;
        return (
          <li key={step.id}>
            <span className="ts-number">{writeNumber(step.limit, unit, money)}</span>
            {step.percent !== null && <span className="ts-muted"> ({formatNumber(step.percent)} %)</span>}
            <span className="ts-muted">
              {step.type === "hard" ? " hard" : ""}
              {step.action.throttle ? ", throttles" : ""}
              {step.action.notify.length > 0 ? ` → ${step.action.notify.join(", ")}` : ""}
            </span>
            {state && state !== "ok" && <Badge tone={STATES[state].tone}>{STATES[state].word}</Badge>}
          </li>
        );
      })}
    </ul>
  );
}

function Actions({ alert, teamId, actions, onEdit }: Omit<AlertCardProps, "standing"> & { alert: Alert }) {
  const [tested, setTested] = useState<Tested | null>(null);
  const [sure, setSure] = useState(false);
  const team = alert.team_id ?? teamId;
  const { test, switchTo, remove } = actions;
  const problem = [test, switchTo, remove].find((each) => each.isError)?.error;

  return (
    <>
      <div className="ts-alert-card__actions">
        <Button size="small" onClick={onEdit} aria-label={`Edit ${alert.name}`}>Edit</Button>
        <Button size="small" disabled={team === null || test.isPending} title={team === null ? "Choose a team whose numbers the test takes" : undefined}
          onClick={() => test.mutate({ id: alert.id, team: alert.team_id === null ? team : null }, { onSuccess: setTested })}>
          Send a test
        </Button>
        <Button size="small" disabled={switchTo.isPending} onClick={() => switchTo.mutate({ id: alert.id, active: !alert.active })}>
          {alert.active ? "Switch off" : "Switch on"}
        </Button>
        {sure ? (
          <>
            <Button size="small" variant="danger" disabled={remove.isPending} onClick={() => remove.mutate(alert.id)}>Delete for good</Button>
            <Button size="small" variant="quiet" onClick={() => setSure(false)}>Keep</Button>
          </>
        ) : (
          <Button size="small" variant="quiet" onClick={() => setSure(true)} aria-label={`Delete ${alert.name}`}>Delete</Button>
        )}
      </div>
      {problem && <p role="alert" className="ts-problem">{problem.message}</p>}
      {tested && (
        <div role="status" className="ts-alert-card__tested">
          <p>Queued as tests:</p>
          <ul>
            {tested.data.map((each) => (
              <li key={each.key}>{each.title} <span className="ts-muted">→ {each.channels.join(", ") || "the channels that the team prefers"}</span></li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

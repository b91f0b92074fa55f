import { useState, type FormEvent } from "react";
import { Problem } from "../api/problem";
import { Button, Dialog, Field, Select, TextInput } from "../ui/ui";
import { isFalling } from "./alert-words";
import { draftOf, emptyDraft, emptyStep, KINDS, limitOf, NEEDS_METRIC, OF_MONEY, problemsOf, requestOf, type AlertDraft, type AlertKind } from "./draft";
import { StepFields } from "./step-fields";
import { ThresholdChart } from "./threshold-chart";
import { useChannels, type Alert, type StandingAlert, type useUsageAlerts } from "./use-alerts";

export interface AlertFormProps {
  /** The alert that is edited; null: a new one. */
  edited: StandingAlert | null;
  /** Whom a new one is about. */
  teamId: string | null;
  /** Names to choose from. */
  metrics: readonly string[];
  save: ReturnType<typeof useUsageAlerts>["save"];
  onClose: () => void;
}

/** Makes an alert or changes one: what is watched, from when on, and who is told. */
export function AlertForm({ edited, teamId, metrics, save, onClose }: AlertFormProps) {
  const alert: Alert | null = edited?.alert ?? null;
  const [draft, setDraft] = useState<AlertDraft>(() => (alert ? draftOf(alert) : emptyDraft(teamId)));
  const [tried, setTried] = useState(false);
  const channels = useChannels();
  const change = (changes: Partial<AlertDraft>) => setDraft({ ...draft, ...changes });
  const refused = save.error instanceof Problem ? save.error : null;
  const problems = tried ? problemsOf(draft) : {};
  const told = (field: string) => problems[field] ?? (refused?.field === field ? refused.detail : null);
  const money = OF_MONEY.has(draft.kind) && !(draft.kind === "credit_balance" && draft.metric);

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    if (Object.keys(problemsOf(draft)).length > 0) return;
    save.mutate({ id: alert?.id ?? null, wanted: requestOf(draft) }, { onSuccess: onClose });
  }

  return (
    <Dialog open onClose={onClose} title={alert ? `Edit ${alert.name}` : "New alert"}>
      <form className="ts-form" onSubmit={submit} noValidate>
        <Field label="Name" hint="Left empty, it says what it watches" error={told("name")}>
          <TextInput value={draft.name} maxLength={255} onChange={(event) => change({ name: event.target.value })} />
        </Field>
        <div className="ts-form__row">
          <Field label="What is watched" error={told("kind")}>
            <Select value={draft.kind} onChange={(event) => change({ kind: event.target.value as AlertKind })}>
              {Object.entries(KINDS).map(([kind, { title }]) => <option key={kind} value={kind}>{title}</option>)}
            </Select>
          </Field>
          <Field label={NEEDS_METRIC.has(draft.kind) ? "Metric" : "Metric (any, if empty)"} error={told("metric")}>
            <Select value={draft.metric} onChange={(event) => change({ metric: event.target.value })}>
              <option value="">{NEEDS_METRIC.has(draft.kind) ? "Choose one" : "All"}</option>
              {[...new Set([...metrics, ...(draft.metric ? [draft.metric] : [])])].map((name) => <option key={name}>{name}</option>)}
            </Select>
          </Field>
        </div>
        <div className="ts-form__row">
          <Field label="Team (all, if empty)" error={told("team_id")}>
            <TextInput value={draft.teamId} autoComplete="off" onChange={(event) => change({ teamId: event.target.value })} />
          </Field>
          <Field label="Or every team on a plan" error={told("plan")}>
            <TextInput value={draft.plan} autoComplete="off" onChange={(event) => change({ plan: event.target.value })} />
          </Field>
        </div>
        <div className="ts-form__row">
          <Field label={`Threshold: ${KINDS[draft.kind].number.toLowerCase()}`} error={told("threshold_value")}>
            <TextInput value={draft.threshold} inputMode="decimal" autoComplete="off" required
              onChange={(event) => change({ threshold: event.target.value })} />
          </Field>
          {money && (
            <Field label="Currency" hint="Empty: the team's own" error={told("currency")}>
              <TextInput value={draft.currency} maxLength={3} autoComplete="off" placeholder="USD"
                onChange={(event) => change({ currency: event.target.value })} />
            </Field>
          )}
        </div>
        <ThresholdChart value={edited?.status?.value ?? null} unit={edited?.status?.unit ?? draft.currency.toUpperCase()}
          money={money && Boolean(edited?.status?.unit ?? draft.currency)} falling={isFalling({ kind: draft.kind, threshold_value: draft.threshold })}
          steps={draft.steps.map((step) => ({ limit: limitOf(draft.threshold, step), hard: step.hard }))} />
        <fieldset className="ts-steps-edit">
          <legend>Steps</legend>
          {draft.steps.map((step, place) => (
            <StepFields key={place} place={place} step={step} limit={limitOf(draft.threshold, step)} error={told(`steps.${place}`)}
              channels={channels.data?.map((channel) => channel.name) ?? []}
              onChange={(next) => change({ steps: draft.steps.map((each, at) => (at === place ? next : each)) })}
              onRemove={draft.steps.length > 1 ? () => change({ steps: draft.steps.filter((_, at) => at !== place) }) : null} />
          ))}
          {draft.steps.length < 20 && (
            <Button size="small" onClick={() => change({ steps: [...draft.steps, emptyStep("120")] })}>Add a step</Button>
          )}
        </fieldset>
        {save.isError && <p role="alert" className="ts-problem">{refused?.detail ?? save.error.message}</p>}
        <div className="ts-form__end">
          <Button variant="quiet" onClick={onClose}>Cancel</Button>
          <Button variant="primary" type="submit" disabled={save.isPending}>{save.isPending ? "Saving …" : alert ? "Save" : "Make the alert"}</Button>
        </div>
      </form>
    </Dialog>
  );
}

import { formatNumber } from "../format";
import { Button, Field, Select, TextInput } from "../ui/ui";
import type { StepDraft } from "./draft";

export interface StepFieldsProps {
  place: number;
  step: StepDraft;
  /** What it comes to; null while a number is none. */
  limit: string | null;
  error: string | null;
  channels: readonly string[];
  onChange: (step: StepDraft) => void;
  onRemove: (() => void) | null;
}

/** One step: how far, how hard, and who is told. */
export function StepFields({ place, step, limit, error, channels, onChange, onRemove }: StepFieldsProps) {
  const change = (changes: Partial<StepDraft>) => onChange({ ...step, ...changes });
  const named = [...new Set([...channels, ...step.notify])];
  return (
    <fieldset className="ts-step">
      <legend className="ts-hidden">Step {place + 1}</legend>
      <div className="ts-step__numbers">
        <Field label="At" error={error}>
          <TextInput value={step.number} inputMode="decimal" autoComplete="off" onChange={(event) => change({ number: event.target.value })} />
        </Field>
        <Field label="Of">
          <Select value={step.of} onChange={(event) => change({ of: event.target.value as StepDraft["of"] })}>
            <option value="percent">% of the threshold</option>
            <option value="value">a value of its own</option>
          </Select>
        </Field>
        {onRemove && <Button size="small" variant="quiet" aria-label={`Remove step ${place + 1}`} onClick={onRemove}>Remove</Button>}
      </div>
      <p className="ts-muted ts-step__limit">{limit === null ? "\u00a0" : step.of === "percent" ? `That is ${formatNumber(limit)}` : "\u00a0"}</p>
      <div className="ts-step__terms">
        <label><input type="checkbox" checked={step.hard} onChange={() => change({ hard: !step.hard })} /> Hard: told at once</label>
        <label data-off={!step.hard || undefined}>
          <input type="checkbox" checked={step.hard && step.throttle} disabled={!step.hard} onChange={() => change({ throttle: !step.throttle })} /> Throttle the team
        </label>
      </div>
      {named.length > 0 && (
        <fieldset className="ts-step__channels">
          <legend>Tell{step.notify.length === 0 && <span className="ts-muted"> the channels that the team prefers</span>}</legend>
          {named.map((name) => (
            <label key={name}>
              <input type="checkbox" checked={step.notify.includes(name)}
                onChange={() => change({ notify: step.notify.includes(name) ? step.notify.filter((each) => each !== name) : [...step.notify, name] })} />{" "}
              {name}
            </label>
          ))}
        </fieldset>
      )}
    </fieldset>
  );
}

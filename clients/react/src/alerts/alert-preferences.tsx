import { useEffect, useState, type FormEvent } from "react";
import { Problem } from "../api/problem";
import { Button, ErrorState, Field, Select, Skeleton, TextInput } from "../ui/ui";
import { useAlertPreferences, useChannels, useMayEdit, type Preferences } from "./use-alerts";

/** How a team wants to be told: where, at once or in a digest, and when not. */
export function AlertPreferences({ teamId }: { teamId: string }) {
  const { preferences, save } = useAlertPreferences(teamId);
  if (preferences.isError) return <ErrorState error={preferences.error} onRetry={() => void preferences.refetch()} />;
  if (!preferences.data) return <Skeleton height={260} />;
  return <PreferencesForm key={teamId} given={preferences.data} save={save} />;
}

function PreferencesForm({ given, save }: { given: Preferences; save: ReturnType<typeof useAlertPreferences>["save"] }) {
  const mayEdit = useMayEdit();
  const channels = useChannels();
  const [wanted, setWanted] = useState(given);
  const [emails, setEmails] = useState((given.emails ?? []).join(", "));
  useEffect(() => {
    setWanted(given);
    setEmails((given.emails ?? []).join(", "));
  }, [given]);
  const change = (changes: Partial<Preferences>) => setWanted({ ...wanted, ...changes });
  const quiet = wanted.quiet_hours ?? null;
  const named = [...new Set([...(channels.data ?? []).map((channel) => channel.name), ...(wanted.channels ?? [])])];
  const chosen = wanted.channels ?? null;
  const refused = save.error instanceof Problem ? save.error : null;

  function submit(event: FormEvent) {
    event.preventDefault();
    save.mutate({ ...wanted, emails: emails.split(/[\s,;]+/).filter(Boolean) });
  }

  return (
    <form className="ts-form ts-preferences" onSubmit={submit}>
      <fieldset disabled={!mayEdit} className="ts-plain">
        <legend className="ts-hidden">How this team is told</legend>
        <Field label="Where">
          <Select value={chosen === null ? "default" : chosen.length === 0 ? "nowhere" : "named"}
            onChange={(event) => change({ channels: { default: null, nowhere: [], named: named.slice(0, 1) }[event.target.value] ?? null })}>
            <option value="default">The default channels</option>
            <option value="named" disabled={named.length === 0}>These channels</option>
            <option value="nowhere">Nowhere</option>
          </Select>
        </Field>
        {chosen !== null && chosen.length > 0 && (
          <div className="ts-step__channels" role="group" aria-label="Channels">
            {named.map((name) => (
              <label key={name}>
                <input type="checkbox" checked={chosen.includes(name)}
                  onChange={() => change({ channels: chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name] })} /> {name}
              </label>
            ))}
          </div>
        )}
        <Field label="Email addresses" hint="For email channels that have none of their own" error={refused?.field === "emails" ? refused.detail : null}>
          <TextInput value={emails} inputMode="email" autoComplete="off" placeholder="billing@example.com" onChange={(event) => setEmails(event.target.value)} />
        </Field>
        <div className="ts-form__row">
          <Field label="Digest">
            <Select value={wanted.digest} onChange={(event) => change({ digest: event.target.value as Preferences["digest"] })}>
              <option value="off">Tell at once</option>
              <option value="daily">Once a day</option>
              <option value="weekly">On Mondays</option>
            </Select>
          </Field>
          <Field label="Digest at" hint="The team's wall time">
            <TextInput type="time" value={wanted.digest_at} disabled={wanted.digest === "off"} onChange={(event) => change({ digest_at: event.target.value })} />
          </Field>
        </div>
        <label className="ts-check">
          <input type="checkbox" checked={quiet !== null} onChange={() => change({ quiet_hours: quiet ? null : { from: "22:00", to: "07:00" } })} /> Quiet hours
        </label>
        {quiet && (
          <div className="ts-form__row">
            <Field label="Quiet from"><TextInput type="time" value={quiet.from} onChange={(event) => change({ quiet_hours: { ...quiet, from: event.target.value } })} /></Field>
            <Field label="Quiet until"><TextInput type="time" value={quiet.to} onChange={(event) => change({ quiet_hours: { ...quiet, to: event.target.value } })} /></Field>
          </div>
        )}
      </fieldset>
      <p className="ts-muted">Hard steps and webhooks are told at once, whatever is said here.</p>
      {save.isError && <p role="alert" className="ts-problem">{save.error.message}</p>}
      {mayEdit && (
        <div className="ts-form__end">
          <span role="status" className="ts-muted">{save.isSuccess ? "Saved" : ""}</span>
          <Button variant="primary" type="submit" disabled={save.isPending}>Save</Button>
        </div>
      )}
    </form>
  );
}

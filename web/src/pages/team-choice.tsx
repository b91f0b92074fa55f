import { Field, TextInput } from "@tallystick/react";
import { useEffect, useId, useState } from "react";

import { useTeamNames } from "./names";

/** Chooses one team, or all: a text with proposals, since there may be thousands. */
export function TeamChoice({ value, onChange }: { value: string; onChange: (team: string) => void }) {
  const teams = useTeamNames();
  const list = useId();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const commit = (typed: string) => typed.trim() !== value && onChange(typed.trim());
  return (
    <Field label="Team">
      <TextInput
        value={text}
        list={list}
        placeholder="All teams"
        autoComplete="off"
        onChange={(event) => {
          setText(event.target.value);
          if (event.target.value === "" || teams.some((team) => team.id === event.target.value)) commit(event.target.value);
        }}
        onBlur={() => commit(text)}
        onKeyDown={(event) => event.key === "Enter" && commit(text)}
      />
      <datalist id={list}>
        {teams.map((team) => (
          <option key={team.id} value={team.id}>
            {team.name ?? team.id}
          </option>
        ))}
      </datalist>
    </Field>
  );
}

import { Button, Field, TextInput } from "@tallystick/react";
import { useState, type FormEvent } from "react";

import { Mark } from "./mark";

/** Takes an API key. It stays in this tab, and is forgotten with it. */
export function Login({ reason, onToken }: { reason: string | null; onToken: (token: string) => void }) {
  const [key, setKey] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim()) onToken(key.trim());
  };
  return (
    <main className="ts-root app-gate">
      <form className="app-login" onSubmit={submit}>
        <div className="app-login-head">
          <Mark size={40} />
          <h1>Tallystick</h1>
        </div>
        {reason && (
          <p className="app-notice" role="alert">
            {reason}
          </p>
        )}
        <Field label="API key" hint="It is kept in this tab alone, and forgotten when the tab is closed.">
          <TextInput
            type="password"
            name="key"
            autoComplete="current-password"
            placeholder="tsk_…"
            spellCheck={false}
            value={key}
            onChange={(event) => setKey(event.target.value)}
            autoFocus
            required
          />
        </Field>
        <Button variant="primary" type="submit">
          Log in
        </Button>
        <p className="ts-muted">
          The first start of the server prints one; <code className="ts-mono">tallystick keys create</code> makes more, for one team or
          for reading alone.
        </p>
      </form>
    </main>
  );
}

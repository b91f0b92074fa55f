import type { Problem } from "@tallystick/react";

import { Mark } from "./mark";

/** Before the server has said who is here: blank for a moment, then what is the matter. */
export function Connecting({ problem }: { problem: Problem | null }) {
  return (
    <main className="ts-root app-gate" aria-busy="true">
      <div className={problem ? "app-login" : "app-login app-late"}>
        <div className="app-login-head">
          <Mark size={40} />
          <h1>{problem ? "The server does not answer" : "Connecting…"}</h1>
        </div>
        {problem && <p role="status">It may be restarting. This page tries again every two seconds, and goes on where you were.</p>}
      </div>
    </main>
  );
}

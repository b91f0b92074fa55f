import "@tallystick/react/styles.css";
import "./look.css";

import { TallystickProvider, UsageDashboard, UsageForecast } from "@tallystick/react";
import { createRoot } from "react-dom/client";

const TALLYSTICK = import.meta.env.VITE_TALLYSTICK_URL ?? "http://127.0.0.1:8080";

let known = null;

/** A token of our own backend, got again a minute before it is over. */
async function token() {
  if (!known || Date.parse(known.expires_at) - Date.now() < 60_000) {
    const answer = await fetch("/usage-token");
    known = answer.ok ? await answer.json() : null;
  }
  return known?.token ?? null;
}

createRoot(document.getElementById("root")).render(
  <TallystickProvider baseUrl={TALLYSTICK} token={token} teamId="acme" onUnauthorized={() => (known = null)}>
    <header>Your product · Usage and billing</header>
    <main>
      <UsageDashboard />
      <UsageForecast live={false} />
    </main>
  </TallystickProvider>,
);

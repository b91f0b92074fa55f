import { useTallystick } from "@tallystick/react";

import { PageHead } from "../shell/page-head";
import { Events } from "./team-parts";

/** The event log of all teams, or of the one that the key is for. */
export function EventsPage() {
  const { session } = useTallystick();
  return (
    <>
      <PageHead title="Events" hint="Every usage event as it was recorded, and what became of it." />
      <Events teamId={session?.team_id ?? undefined} />
    </>
  );
}

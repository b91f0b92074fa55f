import { useTallystick } from "@tallystick/react";

import { useSearchParam } from "../search";
import { PageHead } from "../shell/page-head";
import { TeamChoice } from "./team-choice";
import { AlertsForTeam } from "./team-parts";

/** Alerts of all teams; of one team with how they stand. */
export function AlertsPage() {
  const { session } = useTallystick();
  const [named, setTeam] = useSearchParam("team");
  const team = session?.team_id ?? named;
  return (
    <>
      <PageHead title="Alerts" hint={team ? "How they stand, to the event." : "Choose a team to see how its alerts stand."}>
        {!session?.team_id && <TeamChoice value={named} onChange={setTeam} />}
      </PageHead>
      <AlertsForTeam teamId={team || null} />
    </>
  );
}

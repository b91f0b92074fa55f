import { TeamsOverview } from "@tallystick/react";
import { Link } from "wouter";

import { PageHead } from "../shell/page-head";

export function OverviewPage() {
  return (
    <>
      <PageHead title="Overview" hint="Every team, in the billing period that is running." />
      <TeamsOverview
        teamLink={(teamId, name) => (
          <Link href={`/teams/${encodeURIComponent(teamId)}`} className="ts-link">
            {name}
          </Link>
        )}
      />
    </>
  );
}

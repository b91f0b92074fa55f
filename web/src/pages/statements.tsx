import { Card, InvoiceTable, StatementList, useTallystick } from "@tallystick/react";
import { useLocation } from "wouter";

import { useSearchParam } from "../search";
import { PageHead } from "../shell/page-head";
import { useTeamNames } from "./names";
import { StatementForTeam } from "./team-parts";
import { TeamChoice } from "./team-choice";

/** Bills: of one team with every line, or everybody's invoices and statements. */
export function StatementsPage() {
  const { session } = useTallystick();
  const [named, setTeam] = useSearchParam("team");
  const team = session?.team_id ?? named;
  return (
    <>
      <PageHead title="Invoices and statements" hint="What was billed, and how every line came about.">
        {!session?.team_id && <TeamChoice value={named} onChange={setTeam} />}
      </PageHead>
      {team ? <StatementForTeam teamId={team} /> : <Everybody />}
    </>
  );
}

function Everybody() {
  const [, go] = useLocation();
  const teams = useTeamNames();
  const open = (id: number, team: string) => go(`/invoices?team=${encodeURIComponent(team)}&statement=${id}`);
  return (
    <div className="ts-stack">
      <Card title="Invoices">
        <InvoiceTable onOpenStatement={open} />
      </Card>
      <Card title="Closed statements">
        <StatementList onChoose={open} zoneOf={(team) => teams.find((each) => each.id === team)?.time_zone} />
      </Card>
    </div>
  );
}

import { Card, EmptyState, Money, Scroll } from "../ui/ui";
import { growthText, type TeamLink } from "./teams-overview";
import type { Spender } from "./use-overview";

type SpendersProps = { title: string; hint: string; all: readonly Spender[]; empty: string; teamLink: TeamLink };

export function Spenders({ title, hint, all, empty, teamLink }: SpendersProps) {
  return (
    <Card title={title} hint={hint}>
      {all.length === 0 ? (
        <EmptyState title="Nobody yet">{empty}</EmptyState>
      ) : (
        <Scroll label={title}>
          <table className="ts-table">
            <thead>
              <tr>
                <th scope="col">Team</th>
                <th scope="col" className="ts-wide">Plan</th>
                <th scope="col" className="ts-right">Cost</th>
                <th scope="col" className="ts-right ts-wide">At this pace</th>
                <th scope="col" className="ts-right">Growth</th>
              </tr>
            </thead>
            <tbody>
              {all.map((each) => (
                <tr key={each.team_id} data-team={each.team_id}>
                  <th scope="row">{teamLink(each.team_id, each.name)}</th>
                  <td className="ts-wide ts-muted">{each.plan ?? "–"}</td>
                  <td className="ts-right">
                    <Money amount={each.cost} currency={each.currency} />
                  </td>
                  <td className="ts-right ts-wide">
                    <Money amount={each.projected} currency={each.currency} />
                  </td>
                  <td className="ts-right">{each.growth === null ? <span className="ts-muted">–</span> : growthText(each.growth)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}

import { toNumber } from "../decimal";
import { formatMoney, formatNumber } from "../format";
import { toneOf } from "../dashboard/alert-status";
import { Badge, Card, EmptyState, Meter } from "../ui/ui";
import type { TeamLink } from "./teams-overview";
import type { Overview } from "./use-overview";

type Risk = Overview["at_risk"][number];

/** Teams near a limit or over it, the worst first. */
export function AtRisk({ all, teamLink }: { all: readonly Risk[]; teamLink: TeamLink }) {
  return (
    <Card title="Budgets at risk">
      {all.length === 0 ? (
        <EmptyState title="Nobody is near a limit" />
      ) : (
        <ul className="ts-alerts">
          {all.map((each) => (
            <li key={`${each.alert_id} ${each.team_id} ${each.threshold}`}>
              <div className="ts-row ts-spread">
                <span>
                  {teamLink(each.team_id, each.name)} <span className="ts-muted">{each.alert}</span>
                </span>
                <Badge tone={toneOf(each.state)}>{each.state}</Badge>
              </div>
              <Meter value={share(each)} tone={toneOf(each.state)} label={`${each.name}, ${each.alert}: how much of the limit is reached`} />
              <p className="ts-muted ts-small">
                {amount(each.value, each.unit)} of {amount(each.limit, each.unit)}
              </p>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function share(risk: Risk): number {
  const limit = toNumber(risk.limit);
  return limit > 0 ? toNumber(risk.value) / limit : 0;
}

function amount(value: string | null, unit: string | null): string {
  if (unit === null) return formatNumber(value);
  return /^[A-Z]{3}$/.test(unit) ? formatMoney(value, unit) : `${formatNumber(value)} ${unit}`;
}

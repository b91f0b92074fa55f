import { formatNumber } from "../format";
import { Badge, Card, EmptyState } from "../ui/ui";
import type { Overview } from "./use-overview";

/** What Stripe was told, what it still has to be told, and where the two differ. */
export function StripeHealth({ stripe }: { stripe: Overview["stripe"] }) {
  if (!stripe) {
    return (
      <Card title="Stripe">
        <EmptyState title="Stripe is not connected">Bills are complete without; with a key, they are settled there.</EmptyState>
      </Card>
    );
  }
  const drifting = stripe.drift.length > 0;
  const rows: readonly [string, number][] = [
    ["Waiting to be sent", stripe.pending],
    ["Parked after many attempts", stripe.parked],
    ["In quarantine", stripe.quarantined],
    ["Too late for their invoice", stripe.late],
    ["Bills waiting", stripe.bills_waiting],
    ["Bills held", stripe.bills_held],
  ];
  return (
    <Card title="Stripe" actions={<Badge tone={drifting ? "bad" : "good"}>{drifting ? "differs" : "agrees"}</Badge>}>
      <ul className="ts-list ts-small">
        {rows.map(([name, count]) => (
          <li key={name}>
            <span className="ts-row ts-spread">
              <span className="ts-muted">{name}</span>
              <span className="ts-number">{formatNumber(count)}</span>
            </span>
          </li>
        ))}
        {stripe.drift.map((each) => (
          <li key={`${each.team_id} ${each.metric}`}>
            <span className="ts-row ts-spread">
              <span>
                {each.team_id}, {each.metric}
              </span>
              <span className="ts-number">{formatNumber(each.drift)} apart</span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

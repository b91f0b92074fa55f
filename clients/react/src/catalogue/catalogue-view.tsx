import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import type { Problem } from "../api/problem";
import type { Schema } from "../api/types";
import { useApi } from "../context";
import { formatDay } from "../format";
import { Badge, Card, EmptyState, ErrorState, Skeleton } from "../ui/ui";

type Catalogue = Schema<"CatalogueAnswer">;
type Version = Schema<"VersionAnswer">;

/** Metrics, plans and prices as they hold, each with its history. */
export function CatalogueView() {
  const api = useApi();
  const found = useQuery<Catalogue, Problem>({
    queryKey: ["tallystick", "catalogue"],
    staleTime: 60_000,
    queryFn: ({ signal }) => api.get("/api/catalogue", undefined, { signal }),
  });
  if (found.error && !found.data) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={420} />;
  const { metrics, plans } = found.data;
  if (metrics.length === 0 && plans.length === 0) {
    return (
      <EmptyState title="The catalogue is empty">
        <code className="ts-mono">tallystick init api-calls</code> writes a billing file to begin with, and{" "}
        <code className="ts-mono">tallystick apply</code> applies it.
      </EmptyState>
    );
  }
  return (
    <div className="ts-root ts-stack ts-overview">
      {plans.map((plan) => (
        <Plan key={plan.name} plan={plan} />
      ))}
      <Metrics metrics={metrics} />
    </div>
  );
}

function Plan({ plan }: { plan: Catalogue["plans"][number] }) {
  return (
    <Card
      title={`Plan ${plan.name}`}
      hint={`${plan.currency}, billed every ${plan.period}`}
      actions={plan.archived ? <Badge>archived</Badge> : plan.subscribed ? <Badge tone="good">in use</Badge> : <Badge>nobody is on it</Badge>}
    >
      {plan.prices.length === 0 && <EmptyState title="This plan has no prices" />}
      <div className="ts-entries">
        {plan.prices.map((price) => (
          <Entry key={price.name} name={price.name} note={price.metric === null ? "fee" : price.metric === price.name ? null : price.metric} versions={price.versions} />
        ))}
        {plan.terms.some((each) => Object.keys(each.terms).length > 0) && <Entry name="Terms" note={null} versions={plan.terms} />}
      </div>
    </Card>
  );
}

function Metrics({ metrics }: { metrics: Catalogue["metrics"] }) {
  return (
    <Card title="Metrics" hint="What is counted, and how it adds up">
      <div className="ts-entries">
        {metrics.map((metric) => (
          <Entry key={metric.name} name={metric.name} note={`${metric.aggregation} of ${metric.unit}`} versions={metric.versions} />
        ))}
      </div>
    </Card>
  );
}

function Entry({ name, note, versions }: { name: string; note: ReactNode; versions: readonly Version[] }) {
  const now = versions.find((each) => each.in_force);
  const others = versions.filter((each) => each !== now).reverse();
  return (
    <article className="ts-entry">
      <h3>
        {name} {note && <span className="ts-muted">{note}</span>}
        {!now && <Badge tone="warn">not in force</Badge>}
      </h3>
      {now && <Terms version={now} />}
      {others.length > 0 && (
        <details className="ts-details">
          <summary>{others.length === 1 ? "1 other version" : `${others.length} other versions`}</summary>
          {others.map((each) => (
            <Terms key={each.effective_from ?? "first"} version={each} dated />
          ))}
        </details>
      )}
    </article>
  );
}

function Terms({ version, dated = false }: { version: Version; dated?: boolean }) {
  const { effective_from: from, effective_to: to } = version;
  return (
    <>
      {(dated || from || to) && (
        <p className="ts-small ts-muted">
          {from ? `From ${formatDay(from, "UTC")}` : "From the beginning"}
          {to ? ` up to ${formatDay(to, "UTC")}` : ""}
        </p>
      )}
      <dl className="ts-terms">
        {Object.entries(version.terms).map(([term, value]) => (
          <div key={term}>
            <dt>{plainTerm(term)}</dt>
            <dd>{term.startsWith("tiers[") ? value.replaceAll("_", " ") : value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** `tiers[0]` is the first tier to people. */
function plainTerm(term: string): string {
  const tier = /^tiers\[(\d+)\]$/.exec(term);
  return tier ? `tier ${Number(tier[1]) + 1}` : term.replaceAll("_", " ");
}

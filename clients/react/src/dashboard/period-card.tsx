import type { Report } from "../api/types";
import { toNumber } from "../decimal";
import { formatMoney, formatPercent } from "../format";
import { Card, Meter, Stat } from "../ui/ui";

/** What the period costs so far, what it comes to, and how much of it has passed. */
export function PeriodCard({ report }: { report: Report }) {
  const { current_period: period } = report;
  const elapsed = toNumber(period.elapsed);
  return (
    <Card className="ts-period-card">
      <dl className="ts-stats">
        <Stat
          label="Cost so far"
          long={isLong(period.total)}
          value={<span data-testid="cost" data-value={period.total ?? undefined}>{formatMoney(period.total, period.currency)}</span>}
          hint={period.total === null ? "metered, not billed" : "before credits and tax"}
        />
        <Stat
          label="At this pace"
          long={isLong(period.projected_total)}
          value={<span data-value={period.projected_total ?? undefined}>{formatMoney(period.projected_total, period.currency)}</span>}
          hint={period.projected_total === null ? "nothing to go by yet" : "when the period ends"}
        />
        <Stat label="Period" value={formatPercent(period.elapsed)} hint={left(period.end, report.as_of)} />
        <Stat label="Metrics in use" value={used(report)} hint={`of ${report.metrics.length}`} />
      </dl>
      <Meter value={elapsed} label="How much of the billing period has passed" />
    </Card>
  );
}

/** Whether an amount needs smaller digits to stay on its line. */
export function isLong(amount: string | null): boolean {
  return (amount?.length ?? 0) > 13;
}

function used(report: Report): number {
  return report.metrics.filter((metric) => metric.current_period.events > 0).length;
}

function left(end: string, now: string): string {
  const hours = Math.max(0, Math.floor((Date.parse(end) - Date.parse(now)) / 3_600_000));
  if (hours >= 48) return `${Math.floor(hours / 24)} days left`;
  return hours === 1 ? "1 hour left" : `${hours} hours left`;
}

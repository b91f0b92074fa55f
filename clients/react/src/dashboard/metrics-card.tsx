import type { MetricReport, Report } from "../api/types";
import { Sparkline } from "../charts/sparkline";
import { Card, EmptyState, Money, Num, Scroll } from "../ui/ui";

type MetricsCardProps = { report: Report; selected: string; onSelect: (metric: string) => void };

/** Each metric: usage, cost, and where it leads. Choosing one shows its trend. */
export function MetricsCard({ report, selected, onSelect }: MetricsCardProps) {
  const { currency } = report.current_period;
  return (
    <Card title="Usage in this period" hint="Exact, and as of this moment">
      {report.metrics.length === 0 ? (
        <EmptyState title="Nothing is metered yet">
          Metrics are described in the billing file; <code className="ts-mono">tallystick init</code> writes one to begin with.
        </EmptyState>
      ) : (
        <Scroll label="Usage in this period">
          <table className="ts-table ts-metrics">
            <thead>
              <tr>
                <th scope="col">Metric</th>
                <th scope="col" className="ts-right">Usage</th>
                <th scope="col" className="ts-right">Cost</th>
                <th scope="col" className="ts-right ts-wide">At this pace</th>
                <th scope="col" className="ts-wide"><span className="ts-hidden">Trend</span></th>
              </tr>
            </thead>
            <tbody>
              {report.metrics.map((metric) => (
                <Row key={metric.metric} metric={metric} currency={currency} selected={metric.metric === selected} onSelect={onSelect} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  );
}

type RowProps = { metric: MetricReport; currency: string | null; selected: boolean; onSelect: (metric: string) => void };

function Row({ metric, currency, selected, onSelect }: RowProps) {
  const { current_period: period } = metric;
  const windows = metric.history[0]?.windows ?? [];
  return (
    <tr data-metric={metric.metric}>
      <th scope="row">
        <button type="button" className="ts-link-button" aria-pressed={selected} onClick={() => onSelect(metric.metric)}>
          {metric.metric}
        </button>
      </th>
      <td className="ts-right" data-testid="usage">
        <Num value={period.usage} unit={metric.unit} />
      </td>
      <td className="ts-right" data-testid="metric-cost">
        {period.cost ? <Money amount={period.cost.total} currency={currency} /> : <span className="ts-muted" title={period.reason ?? undefined}>–</span>}
      </td>
      <td className="ts-right ts-wide">
        <Money amount={period.projection?.cost} currency={currency} />
      </td>
      <td className="ts-wide">
        <Sparkline values={windows.map((each) => each.usage)} />
      </td>
    </tr>
  );
}

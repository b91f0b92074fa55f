import { Sparkline } from "../charts/sparkline";
import { formatNumber } from "../format";
import { Badge, Card } from "../ui/ui";
import type { Overview } from "./use-overview";

const LATE_SECONDS = 60;

/** Whether events come in and are added up. */
export function IngestHealth({ ingest }: { ingest: Overview["ingest"] }) {
  const late = Number(ingest.lag_seconds) > LATE_SECONDS;
  return (
    <Card title="Ingest" actions={<Badge tone={late ? "warn" : "good"}>{late ? "behind" : "keeping up"}</Badge>}>
      <div className="ts-row ts-spread">
        <span>
          <strong className="ts-number">{formatNumber(ingest.events_last_hour)}</strong> <span className="ts-muted">events in the last hour</span>
        </span>
        <Sparkline values={ingest.per_minute.map((each) => String(each.events))} width={120} />
      </div>
      <ul className="ts-list ts-small">
        <li>
          <span className="ts-row ts-spread">
            <span className="ts-muted">Waiting to be added up</span>
            <span className="ts-number">{formatNumber(ingest.waiting_events)}</span>
          </span>
        </li>
        <li>
          <span className="ts-row ts-spread">
            <span className="ts-muted">The oldest of them waits</span>
            <span className="ts-number">{formatNumber(ingest.lag_seconds, { digits: 1 })} s</span>
          </span>
        </li>
        {ingest.dead_letter_reasons.map((each) => (
          <li key={each.code}>
            <span className="ts-row ts-spread">
              <span className="ts-muted">Rejected: {each.code.replaceAll("_", " ")}</span>
              <span className="ts-number">{formatNumber(each.number)}</span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

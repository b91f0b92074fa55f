import { formatNumber } from "../format";
import { CopyText } from "../ui/copy-text";
import { Badge, Drawer, ErrorState, Skeleton, Time } from "../ui/ui";
import { CorrectionBadge, Nothing } from "./columns";
import { writeExact } from "./exact";
import type { EventTrace, UsageEvent } from "./pages";
import { useEventTrace } from "./use-events";

export interface EventTraceDrawerProps {
  /** The event; null: the drawer is closed. */
  id: string | null;
  /** Go to another event, such as the one in whose place this stands. */
  onOpen: (id: string) => void;
  onClose: () => void;
}

/** One event in full: what was recorded, which metrics count it and as what, and what became of it when. */
export function EventTraceDrawer({ id, onOpen, onClose }: EventTraceDrawerProps) {
  const trace = useEventTrace(id);
  return (
    <Drawer open={id !== null} onClose={onClose} title={trace.data ? `Event ${trace.data.event.event_name}` : "Event"}>
      {trace.isError ? (
        <ErrorState error={trace.error} onRetry={() => void trace.refetch()} />
      ) : trace.data ? (
        <Trace trace={trace.data} onOpen={onOpen} />
      ) : (
        <Skeleton height={480} />
      )}
    </Drawer>
  );
}

function Trace({ trace, onOpen }: { trace: EventTrace; onOpen: (id: string) => void }) {
  const { event, correction } = trace;
  return (
    <div className="ts-trace">
      {correction && (
        <p className="ts-trace__notice">
          <CorrectionBadge kind={correction.kind} /> It no longer counts since <Time at={correction.recorded_at} />:{" "}
          {correction.reason}
        </p>
      )}
      <Facts event={event} onOpen={onOpen} />
      <h3>What counts it</h3>
      <Counted trace={trace} />
      <h3>What happened to it</h3>
      <ol className="ts-timeline">
        {trace.timeline.map((moment, place) => (
          <li key={place}>
            <Time at={moment.at} />
            <span>{moment.what}</span>
          </li>
        ))}
      </ol>
      <h3>Metadata</h3>
      {event.metadata ? (
        <pre className="ts-json" tabIndex={0} aria-label="Metadata as JSON">{writeExact(event.metadata)}</pre>
      ) : (
        <p className="ts-muted">It has none.</p>
      )}
    </div>
  );
}

function Facts({ event, onOpen }: { event: UsageEvent; onOpen: (id: string) => void }) {
  return (
    <dl className="ts-facts">
      <dt>Team</dt>
      <dd>{event.team_id}</dd>
      <dt>Quantity</dt>
      <dd className="ts-strong">{formatNumber(event.quantity)}{event.unit ? ` ${event.unit}` : ""}</dd>
      <dt>Happened</dt>
      <dd><Time at={event.occurred_at} /></dd>
      <dt>Recorded</dt>
      <dd><Time at={event.recorded_at} /></dd>
      <dt>User</dt>
      <dd>{event.user_id ?? <Nothing />}</dd>
      {event.event_type && (
        <>
          <dt>Type</dt>
          <dd>{event.event_type}</dd>
        </>
      )}
      <dt>Idempotency key</dt>
      <dd><CopyText text={event.idempotency_key} label="the idempotency key" /></dd>
      <dt>Id</dt>
      <dd><CopyText text={event.id} label="the id" /></dd>
      {event.amends && <Other title="Stands in the place of" id={event.amends} onOpen={onOpen} />}
      {event.replacement_id && <Other title="Replaced by" id={event.replacement_id} onOpen={onOpen} />}
    </dl>
  );
}

function Other({ title, id, onOpen }: { title: string; id: string; onOpen: (id: string) => void }) {
  return (
    <>
      <dt>{title}</dt>
      <dd>
        <button type="button" className="ts-link" onClick={() => onOpen(id)}><code>{id}</code></button>
      </dd>
    </>
  );
}

function Counted({ trace }: { trace: EventTrace }) {
  if (trace.counted.length === 0) {
    return (
      <p className="ts-muted">
        {trace.correction ? "Nothing, since it no longer counts." : "No metric counts this event. One that is added later will."}
      </p>
    );
  }
  return (
    <ul className="ts-counted">
      {trace.counted.map((counted, place) => (
        <li key={place}>
          <div className="ts-counted__head">
            <strong>{counted.metric}</strong>
            {counted.value === null ? (
              <Badge tone="warn">no value found</Badge>
            ) : (
              <span className="ts-number">{formatValue(counted.value)}</span>
            )}
          </div>
          {Object.keys(counted.dimensions).length > 0 && (
            <p className="ts-muted">
              {Object.entries(counted.dimensions).map(([name, value]) => `${name}: ${value ?? "none"}`).join(" · ")}
            </p>
          )}
          {counted.rollup ? (
            <p className="ts-muted">
              In the roll-up of <Time at={counted.rollup.start} /> to <Time at={counted.rollup.end} />:{" "}
              {formatNumber(String(counted.rollup.events))} {counted.rollup.events === 1 ? "event" : "events"}
              {counted.rollup.total !== null && <>, {formatNumber(counted.rollup.total)} in all</>}
            </p>
          ) : (
            <p className="ts-muted">Not rolled up yet: usage reads the event itself.</p>
          )}
        </li>
      ))}
    </ul>
  );
}

/** A metric of distinct values counts a text; every other one a number. */
function formatValue(value: string): string {
  return /^-?\d+(\.\d+)?$/.test(value) ? formatNumber(value) : value;
}

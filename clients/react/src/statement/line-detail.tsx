import { formatDay, formatMoney, formatNumber } from "../format";
import { ErrorState, Skeleton } from "../ui/ui";
import { ClosedLineEvents, OpenLineEvents } from "./line-events";
import { StepsTable } from "./steps-table";
import type { ShownLine } from "./lines";
import { useExplanation, type Explanation } from "./use-statement";

export interface LineDetailProps {
  line: ShownLine;
  teamId: string;
  /** What the team is billed in. */
  currency: string | null;
  /** Of the team. */
  zone?: string;
  onOpenEvent: (id: string) => void;
  onOpenStatement?: (id: number) => void;
}

/** How a line came about: its steps, its usage by day, what was booked about it later, and its events. */
export function LineDetail(props: LineDetailProps) {
  const { line, currency } = props;
  const priced = line.conversion ? line.conversion.currency : currency;
  return (
    <div className="ts-line-detail">
      {line.reason && <p className="ts-line-detail__note">Nothing is charged: {line.reason.replaceAll("_", " ")}.</p>}
      {line.unvalued > 0 && (
        <p className="ts-line-detail__note ts-line-detail__note--warn">
          {formatNumber(line.unvalued)} of the events have no value that can be read, and add nothing.
        </p>
      )}
      {line.adjusts && <Adjusts {...props} adjusts={line.adjusts} />}
      <h4>Steps</h4>
      <StepsTable steps={line.steps} currency={priced} amount={line.amount} />
      {line.conversion && <Converted line={line} currency={currency} />}
      {line.id !== null && <Explained id={line.id} currency={currency} unit={line.unit} zone={props.zone} />}
      {line.metric !== null && (
        <>
          <h4>Events</h4>
          {line.id === null ? <OpenLineEvents {...props} metric={line.metric} /> : <ClosedLineEvents id={line.id} unvalued={line.unvalued > 0} onOpenEvent={props.onOpenEvent} />}
        </>
      )}
    </div>
  );
}

function Converted({ line, currency }: { line: ShownLine; currency: string | null }) {
  const { conversion } = line;
  if (conversion === null) return null;
  return (
    <p className="ts-line-detail__note">
      {formatMoney(conversion.total, conversion.currency)} × {formatNumber(conversion.rate)} ={" "}
      {formatMoney(line.billed, currency)}, at the rate of {conversion.date} ({conversion.source}).
    </p>
  );
}

function Adjusts({ adjusts, onOpenStatement }: LineDetailProps & { adjusts: NonNullable<ShownLine["adjusts"]> }) {
  const counts = ["late", "amended", "voided"]
    .map((name) => [name, Number(adjusts.cause[name] ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${formatNumber(count)} ${name}`);
  const terms = Array.isArray(adjusts.cause["terms"]) ? adjusts.cause["terms"].length : 0;
  const why = [...(counts.length ? [`${counts.join(", ")} ${counts.length === 1 && counts[0] === "1 late" ? "event" : "events"}`] : []), ...(terms ? ["changed terms"] : [])];
  return (
    <p className="ts-line-detail__note">
      Corrects the line <code>{adjusts.key}</code> of{" "}
      {onOpenStatement ? (
        <button type="button" className="ts-link" onClick={() => onOpenStatement(adjusts.statement)}>statement {adjusts.statement}</button>
      ) : (
        <>statement {adjusts.statement}</>
      )}
      {why.length > 0 && <>: {why.join(" and ")}</>}.
    </p>
  );
}

function Explained({ id, currency, unit, zone }: { id: number; currency: string | null; unit: string; zone?: string }) {
  const found = useExplanation(id);
  if (found.isError) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={160} />;
  const { adjustments, booked } = found.data;
  return (
    <>
      {found.data.usage.length > 0 && <UsageByDay found={found.data} unit={unit} zone={zone} />}
      {adjustments.length > 0 && (
        <>
          <h4>Booked about it later</h4>
          <ul className="ts-plain">
            {adjustments.map((line) => (
              <li key={line.id}>
                {formatMoney(line.converted_total, currency)} for {formatNumber(line.quantity)} {line.unit}
              </li>
            ))}
          </ul>
          <p className="ts-line-detail__note">With that the line comes to {formatMoney(booked, currency)}.</p>
        </>
      )}
    </>
  );
}

const MOST_DAYS = 62;

function UsageByDay({ found, unit, zone }: { found: Explanation; unit: string; zone?: string }) {
  const names = Object.keys(found.usage[0]?.dimensions ?? {});
  const rows = found.usage.slice(0, MOST_DAYS);
  return (
    <details className="ts-line-detail__usage">
      <summary>Usage{found.adds_up ? " by day" : ""}: {formatNumber(found.usage_total)} {unit} in all</summary>
      <div className="ts-scroll" tabIndex={0} role="region" aria-label="Usage by day">
        <table className="ts-table">
          <thead>
            <tr>
              <th scope="col">From</th>
              {names.map((name) => <th scope="col" key={name}>{name}</th>)}
              <th scope="col" className="ts-right ts-number">Events</th>
              <th scope="col" className="ts-right ts-number">Usage</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((usage, place) => (
              <tr key={place}>
                <td>{formatDay(usage.start, zone)}</td>
                {names.map((name) => <td key={name}>{usage.dimensions[name] ?? "–"}</td>)}
                <td className="ts-right ts-number">{formatNumber(usage.events)}</td>
                <td className="ts-right ts-number">{formatNumber(usage.quantity)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.usage.length > MOST_DAYS && (
        <p className="ts-muted">The first {MOST_DAYS} of {formatNumber(found.usage.length)} rows; the API has them all.</p>
      )}
    </details>
  );
}

import { Fragment, useId } from "react";
import { formatMoney, formatNumber } from "../format";
import { Badge, EmptyState } from "../ui/ui";
import { LineDetail } from "./line-detail";
import { formatPeriod } from "./period";
import { KINDS, type ShownLine } from "./lines";

export interface StatementLinesProps {
  lines: readonly ShownLine[];
  teamId: string;
  currency: string | null;
  /** Of the team, in whose days intervals are told. */
  zone?: string;
  openLine: string | null;
  onOpenLine: (key: string | null) => void;
  onOpenEvent: (id: string) => void;
  onOpenStatement?: (id: number) => void;
}

/** The lines of a bill, each of which opens. */
export function StatementLines({ lines, openLine, onOpenLine, ...props }: StatementLinesProps) {
  if (lines.length === 0) return <EmptyState title="No lines">Nothing was used, and nothing is charged.</EmptyState>;
  return (
    <table className="ts-table ts-lines">
      <thead>
        <tr>
          <th scope="col">Line</th>
          <th scope="col" className="ts-right ts-number">Quantity</th>
          <th scope="col" className="ts-right ts-number">Amount</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <LineRows key={line.key} line={line} open={line.key === openLine} {...props}
            onToggle={() => onOpenLine(line.key === openLine ? null : line.key)} />
        ))}
      </tbody>
    </table>
  );
}

type LineRowsProps = Omit<StatementLinesProps, "lines" | "openLine" | "onOpenLine"> & {
  line: ShownLine;
  open: boolean;
  onToggle: () => void;
};

function LineRows({ line, open, onToggle, ...props }: LineRowsProps) {
  const detail = useId();
  return (
    <Fragment>
      <tr className="ts-lines__line" data-open={open || undefined}>
        <th scope="row">
          <button type="button" className="ts-lines__toggle" aria-expanded={open} aria-controls={detail} onClick={onToggle}>
            <span aria-hidden="true" className="ts-lines__mark">{open ? "▾" : "▸"}</span>
            <span>
              {line.name}{" "}
              {line.kind !== "usage" && <Badge tone={line.kind === "adjustment" ? "warn" : "neutral"}>{KINDS[line.kind] ?? line.kind}</Badge>}
            </span>
          </button>
          <p className="ts-muted ts-lines__when">
            {formatPeriod(line.start, line.end, props.zone)}
            {line.events > 0 && <> · {formatNumber(line.events)} {line.events === 1 ? "event" : "events"}</>}
          </p>
        </th>
        <td className="ts-right ts-number">{formatNumber(line.quantity)} <span className="ts-muted">{line.unit}</span></td>
        <td className="ts-right ts-number ts-strong">{formatMoney(line.billed, props.currency)}</td>
      </tr>
      <tr id={detail} className="ts-lines__detail" hidden={!open}>
        <td colSpan={3}>{open && <LineDetail line={line} {...props} />}</td>
      </tr>
    </Fragment>
  );
}

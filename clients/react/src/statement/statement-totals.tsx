import { isZero } from "../decimal";
import { formatMoney } from "../format";

export interface StatementTotalsProps {
  subtotal: string | null;
  credits: string;
  total: string | null;
  currency: string | null;
  open?: boolean;
}

/** What the lines come to, what credit pays of it, and what is due. */
export function StatementTotals({ subtotal, credits, total, currency, open = false }: StatementTotalsProps) {
  return (
    <dl className="ts-totals">
      <dt>Subtotal</dt>
      <dd>{formatMoney(subtotal, currency)}</dd>
      {!isZero(credits) && (
        <>
          <dt>Paid by credit</dt>
          <dd>{formatMoney(`-${credits}`, currency)}</dd>
        </>
      )}
      <dt className="ts-totals__due">{open ? "Due so far" : "Due"}</dt>
      <dd className="ts-totals__due">{formatMoney(total, currency)}</dd>
    </dl>
  );
}

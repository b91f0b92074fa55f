import { formatMoney, formatNumber } from "../format";
import { wordsOfStep, type Step } from "./lines";

/** The steps that made an amount: they add up to it, to the last digit. */
export function StepsTable({ steps, currency, amount }: { steps: readonly Step[]; currency: string | null; amount: string | null }) {
  if (steps.length === 0) return <p className="ts-muted">Nothing was computed for this line.</p>;
  return (
    <div className="ts-scroll" tabIndex={0} role="region" aria-label="Steps">
      <table className="ts-table ts-steps">
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col" className="ts-right ts-number">Quantity</th>
            <th scope="col" className="ts-right ts-number">Unit price</th>
            <th scope="col" className="ts-right ts-number">Amount</th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step, place) => (
            <tr key={place}>
              <td>{wordsOfStep(step)}</td>
              <td className="ts-right ts-number">{formatNumber(step.quantity)}</td>
              <td className="ts-right ts-number">{step.unit_price === null ? "–" : formatMoney(step.unit_price, currency)}</td>
              <td className="ts-right ts-number">{formatMoney(step.amount, currency)}</td>
            </tr>
          ))}
        </tbody>
        {amount !== null && (
          <tfoot>
            <tr>
              <th scope="row" colSpan={3}>Exact amount</th>
              <td className="ts-right ts-number">{formatMoney(amount, currency)}</td>
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}

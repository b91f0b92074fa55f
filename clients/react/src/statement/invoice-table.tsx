import { useState } from "react";
import { nameOf, saveBlob } from "../events/download";
import { formatMoney } from "../format";
import { useApi } from "../context";
import { Badge, Button, EmptyState, ErrorState, Skeleton } from "../ui/ui";
import { useInvoices, type Invoice } from "./use-statement";

export interface InvoiceTableProps {
  /** Invoices of this team; all teams without it. */
  teamId?: string | null;
  /** Invoices of this statement alone. */
  statementId?: number;
  onOpenStatement?: (id: number, teamId: string) => void;
}

const TONES = { draft: "neutral", final: "info", paid: "good", void: "warn" } as const;

/** Invoices and credit notes, each with its PDF. */
export function InvoiceTable({ teamId = null, statementId, onOpenStatement }: InvoiceTableProps) {
  const found = useInvoices({ teamId, statementId });
  if (found.isError) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton height={200} />;
  const invoices = found.data.pages.flatMap((page) => page.data);
  if (invoices.length === 0) {
    return <EmptyState title="No invoices">An invoice is drafted from a closed statement, and final once it has a number.</EmptyState>;
  }
  return (
    <>
      <div className="ts-scroll" tabIndex={0} role="region" aria-label="Invoices">
        <table className="ts-table ts-table--cards">
          <thead>
            <tr>
              <th scope="col">Number</th>
              {!teamId && <th scope="col">Team</th>}
              <th scope="col">Status</th>
              <th scope="col">Issued</th>
              <th scope="col" className="ts-right ts-number">Due</th>
              <th scope="col">Statement</th>
              <th scope="col"><span className="ts-hidden">Document</span></th>
            </tr>
          </thead>
          <tbody>
            {invoices.map((invoice) => (
              <tr key={invoice.id}>
                <td data-title="Number">
                  {invoice.number ?? "not numbered yet"}
                  {invoice.kind === "credit_note" && <> <Badge tone="neutral">credit note</Badge></>}
                </td>
                {!teamId && <td data-title="Team">{invoice.team_id}</td>}
                <td data-title="Status"><Badge tone={TONES[invoice.status]}>{invoice.status}</Badge></td>
                <td data-title="Issued">{invoice.issued_on ?? "–"}</td>
                <td data-title="Due" className="ts-right ts-number ts-strong">{formatMoney(invoice.due, invoice.currency)}</td>
                <td data-title="Statement">
                  {onOpenStatement ? (
                    <button type="button" className="ts-link" onClick={() => onOpenStatement(invoice.statement_id, invoice.team_id)}>
                      {invoice.statement_id}
                    </button>
                  ) : (
                    invoice.statement_id
                  )}
                </td>
                <td className="ts-table__act"><DocumentButton invoice={invoice} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {found.hasNextPage && (
        <Button disabled={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {found.isFetchingNextPage ? "Reading …" : "Older invoices"}
        </Button>
      )}
    </>
  );
}

function DocumentButton({ invoice }: { invoice: Invoice }) {
  const api = useApi();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const name = invoice.number ?? `draft-${invoice.id}`;

  async function save() {
    setBusy(true);
    setProblem(null);
    try {
      const answer = await api.raw(`/api/billing/invoices/${invoice.id}/document`, { format: "pdf" });
      saveBlob(await answer.blob(), nameOf(answer, `${name}.pdf`));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  }

  return (
    <>
      <Button disabled={busy} aria-label={`PDF of ${name}`} onClick={() => void save()}>
        {busy ? "Writing …" : "PDF"}
      </Button>
      {problem && <p role="alert" className="ts-problem">{problem}</p>}
    </>
  );
}

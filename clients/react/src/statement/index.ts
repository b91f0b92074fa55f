export { InvoiceTable, type InvoiceTableProps } from "./invoice-table";
export { StatementList, type StatementListProps } from "./statement-list";
export { StatementView, type StatementViewProps } from "./statement-view";
export {
  useClosedStatement,
  useExplanation,
  useInvoices,
  useLineEvents,
  useStatement,
  useStatements,
  type ClosedStatement,
  type Explanation,
  type Invoice,
  type OpenStatement,
  type Period,
} from "./use-statement";

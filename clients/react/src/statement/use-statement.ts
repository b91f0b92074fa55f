import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Schema } from "../api/types";
import { useApi, useTeamId } from "../context";

export type OpenStatement = Schema<"StatementAnswer">;
export type ClosedStatement = Schema<"ClosedStatementAnswer">;
export type Period = Schema<"PeriodAnswer">;
export type Explanation = Schema<"ExplanationAnswer">;
export type ExplainedEvent = Schema<"ExplainedEvent">;
export type Verification = Schema<"VerificationAnswer">;
export type Invoice = Schema<"InvoiceSummary">;

interface Page<Row> {
  data: Row[];
  next_cursor: string | null;
}

const MINUTE = 60_000;

/** The open statement of a team (the provider's, if none is named): what the running period comes to so far. */
export function useStatement(options: { teamId?: string | null } = {}) {
  const teamId = useTeamId(options.teamId);
  const api = useApi();
  return useQuery<OpenStatement>({
    queryKey: ["tallystick", "statement", "open", teamId],
    enabled: teamId !== null,
    refetchInterval: MINUTE,
    queryFn: ({ signal }) => api.get<OpenStatement>("/api/billing/statements/current", { team_id: teamId ?? "" }, { signal }),
  });
}

/** A closed statement with its lines. It never changes, but for its status. */
export function useClosedStatement(id: number | null) {
  const api = useApi();
  return useQuery<ClosedStatement>({
    queryKey: ["tallystick", "statement", id],
    enabled: id !== null,
    queryFn: ({ signal }) => api.get<ClosedStatement>(`/api/billing/statements/${id}`, {}, { signal }),
  });
}

/** A team's closed statements, the newest first, page by page; without a team everybody's. */
export function useStatements(teamId: string | null, size = 12) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: ["tallystick", "statements", teamId, size],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<Period>>("/api/billing/periods", { team_id: teamId ?? undefined, limit: size, cursor: pageParam }, { signal }),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** How a closed line came about. */
export function useExplanation(line: number | null) {
  const api = useApi();
  return useQuery<Explanation>({
    queryKey: ["tallystick", "explain", line],
    enabled: line !== null,
    queryFn: ({ signal }) => api.get<Explanation>(`/api/billing/lines/${line}/explain`, {}, { signal }),
  });
}

/** The events behind a closed line, page by page. */
export function useLineEvents(line: number, size = 20) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: ["tallystick", "line-events", line, size],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<ExplainedEvent>>(`/api/billing/lines/${line}/events`, { limit: size, cursor: pageParam }, { signal }),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** Invoices and credit notes, the newest first; of a team, of a statement, or all. */
export function useInvoices(filter: { teamId?: string | null; statementId?: number; status?: string } = {}, size = 50) {
  const api = useApi();
  const query = { team_id: filter.teamId ?? undefined, statement_id: filter.statementId, status: filter.status };
  return useInfiniteQuery({
    queryKey: ["tallystick", "invoices", query, size],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api.get<Page<Invoice>>("/api/billing/invoices", { ...query, limit: size, cursor: pageParam }, { signal }),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

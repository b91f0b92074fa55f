import type { components } from "./schema";

/** A schema of the API by its name: `Schema<"ReportAnswer">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** A quantity or an amount: exact decimal text, never a binary number. */
export type DecimalText = string;

export type Report = Schema<"ReportAnswer">;
export type MetricReport = Schema<"MetricAnswer">;

/** Who asks, and what they may: `GET /api/session`. */
export type Session = {
  mode: "dev" | "key" | "portal";
  name?: string | null;
  team_id: string | null;
  scopes: string[];
  expires_at: string | null;
  version: string;
};

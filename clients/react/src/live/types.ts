import type { DecimalText } from "../api/types";

export type LiveMetric = {
  metric: string;
  unit: string;
  quantity: DecimalText | null;
  cost: DecimalText | null;
  events?: number;
};

/** The current period of a team, as `GET /api/usage/report` says it at that moment. */
export type LiveUsage = {
  team_id: string;
  at: string;
  period: { start: string; end: string };
  currency: string | null;
  cost: DecimalText | null;
  projected?: DecimalText | null;
  metrics: LiveMetric[];
};

export type LiveTouched = { at: string; teams: string[]; events: number };

export type LiveAlert = {
  team_id: string;
  alert_id: number | string;
  name: string;
  step: unknown;
  state: string;
  at: string;
  value?: DecimalText | null;
  limit?: DecimalText | null;
  unit?: string | null;
};

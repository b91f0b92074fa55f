import { EmptyState, StatementView, UsageDashboard, UsageForecast } from "@tallystick/react";
import type { ComponentType } from "react";

const PARTS: Readonly<Record<string, ComponentType>> = {
  usage: UsageDashboard,
  forecast: UsageForecast,
  bill: StatementView,
};

/** One component alone, for a frame in another page; the token in the fragment says whose. */
export function EmbedPage({ part }: { part: string }) {
  const Part = Object.hasOwn(PARTS, part) ? PARTS[part] : undefined;
  if (!Part) return <EmptyState title="There is no such part">Parts are {Object.keys(PARTS).join(", ")}.</EmptyState>;
  return <Part />;
}

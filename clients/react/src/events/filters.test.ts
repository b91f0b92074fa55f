import { describe, expect, it } from "vitest";
import { countOfFilters, eventParameters, filtersFromUrl, filtersToUrl, type EventFilters } from "./filters";

const ALL: EventFilters = {
  team: "acme",
  search: "50% off & more",
  name: "api_call",
  user: "ann",
  metric: "api_calls",
  key: "req-1",
  metadata: ["region=eu", "note=a=b"],
  from: "2026-03-01T00:00:00Z",
  to: "2026-04-01T00:00:00+02:00",
  corrected: false,
  sort: "occurred_at",
};

describe("filters of the event log", () => {
  it("survive the way through a URL", () => {
    expect(filtersFromUrl(new URLSearchParams(filtersToUrl(ALL).toString()))).toEqual(ALL);
    expect(filtersFromUrl(new URLSearchParams(""))).toEqual({});
  });

  it("ignore what a URL says that is none", () => {
    expect(filtersFromUrl(new URLSearchParams("sort=quantity&corrected=maybe&metadata=x&other=1&team=+"))).toEqual({});
  });

  it("leave out what is empty", () => {
    expect(eventParameters({ team: " ", search: "", metadata: [] })).toEqual({});
    expect(eventParameters(ALL)).toMatchObject({ team_id: "acme", idempotency_key: "req-1", corrected: false });
  });

  it("sort events of all teams by when they were recorded alone", () => {
    expect(eventParameters({ sort: "occurred_at" })).toEqual({});
    expect(eventParameters({ sort: "recorded_at" })).toEqual({ sort: "recorded_at" });
    expect(eventParameters({ team: "acme", sort: "occurred_at" })).toEqual({ team_id: "acme", sort: "occurred_at" });
  });

  it("are counted without what is always in sight", () => {
    expect(countOfFilters({ team: "acme", search: "x", sort: "recorded_at" })).toBe(0);
    expect(countOfFilters(ALL)).toBe(9);
  });
});

import { describe, expect, it } from "vitest";

import { dimensionsOf, seriesOf, since } from "./trend";

const point = (usage: string | null) => ({ start: "2026-03-01T00:00:00Z", end: "2026-03-02T00:00:00Z", usage, events: 1, unvalued: 0 });

describe("a trend", () => {
  it("begins at a day of the team's calendar, not of the browser's", () => {
    expect(since("day", "2026-03-31T20:00:00Z", "Asia/Kathmandu")).toBe("2026-03-03");
    expect(since("month", "2026-03-31T20:00:00Z", "Asia/Kathmandu")).toBe("2025-05-01");
    expect(since("hour", "2026-03-31T20:40:00Z", "UTC")).toBe("2026-03-29T21:00:00.000Z");
  });

  it("adds small series up exactly where they add up, and never where they don't", () => {
    const history = Array.from({ length: 9 }, (_, at) => ({ dimensions: { region: `r${at}` }, windows: [point(at < 7 ? "10" : "0.1")] }));
    expect(seriesOf(history, true).shown.at(-1)).toMatchObject({ name: "2 others", values: ["0.2"] });
    expect(seriesOf(history, false).shown).toHaveLength(7);
  });

  it("names an event without the dimension", () => {
    expect(seriesOf([{ dimensions: { region: null }, windows: [point("1")] }], true).shown[0]!.name).toBe("(none)");
  });

  it("can be grouped by what the metric keeps apart", () => {
    expect(dimensionsOf([{ slug: "calls", groupBy: { region: "$.region" } }], "calls")).toEqual(["region"]);
    expect(dimensionsOf({ nothing: true }, "calls")).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { MOST_LOOKS, readPage, type EventPage, type UsageEvent } from "./pages";

const event = (id: string) => ({ id }) as UsageEvent;

function server(answers: EventPage[]) {
  const asked: { limit: number; cursor?: string }[] = [];
  const ask = async (query: { limit: number; cursor?: string }) => {
    asked.push(query);
    return answers[Math.min(asked.length, answers.length) - 1]!;
  };
  return { ask, asked };
}

describe("a page of the event log", () => {
  it("is what one answer has where that is full", async () => {
    const { ask, asked } = server([{ data: [event("1"), event("2")], next_cursor: "c", looked_to: null }]);
    expect(await readPage(ask, 2, undefined)).toEqual({ events: [event("1"), event("2")], next: "c", lookedTo: null });
    expect(asked).toEqual([{ limit: 2, cursor: undefined }]);
  });

  it("goes on by itself until it is full", async () => {
    const { ask, asked } = server([
      { data: [event("1")], next_cursor: "a", looked_to: "2026-03-02T00:00:00Z" },
      { data: [], next_cursor: "b", looked_to: "2026-03-01T00:00:00Z" },
      { data: [event("2")], next_cursor: "c", looked_to: null },
    ]);
    expect((await readPage(ask, 2, "from")).events).toHaveLength(2);
    expect(asked).toEqual([
      { limit: 2, cursor: "from" },
      { limit: 1, cursor: "a" },
      { limit: 1, cursor: "b" },
    ]);
  });

  it("says how far it looked where it gives up", async () => {
    const { ask, asked } = server([{ data: [], next_cursor: "a", looked_to: "2026-03-02T00:00:00Z" }]);
    expect(await readPage(ask, 2, undefined)).toEqual({ events: [], next: "a", lookedTo: "2026-03-02T00:00:00Z" });
    expect(asked).toHaveLength(MOST_LOOKS);
  });

  it("ends with the last answer", async () => {
    const { ask } = server([{ data: [event("1")], next_cursor: null, looked_to: null }]);
    expect(await readPage(ask, 2, undefined)).toEqual({ events: [event("1")], next: null, lookedTo: null });
  });
});

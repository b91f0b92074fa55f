import { afterEach, describe, expect, it, vi } from "vitest";

import { Api } from "../api/client";
import { backoff, follow, Parser, type StreamEvent, type StreamState } from "./stream";

afterEach(() => vi.unstubAllGlobals());

describe("a stream of events", () => {
  it("is understood in pieces of any size", () => {
    const heard: StreamEvent[] = [];
    const parser = new Parser((event) => heard.push(event));
    const text = ': keep-alive\n\nevent: hello\ndata: {"version":"1"}\n\nevent: usage\r\ndata: {"cost":\r\ndata: "1.20"}\r\n\r\nevent: half';
    for (const letter of text) parser.feed(letter);
    expect(heard).toEqual([
      { event: "hello", data: { version: "1" } },
      { event: "usage", data: { cost: "1.20" } },
    ]);
  });

  it("waits longer after each failure, never longer than the longest pause, and not always as long", () => {
    expect([backoff(0, 15_000, 1), backoff(3, 15_000, 1), backoff(30, 15_000, 1)]).toEqual([500, 4_000, 15_000]);
    expect(backoff(3, 15_000, 0)).toBe(2_000);
  });

  it("is connected again when the server ends it", async () => {
    const over = new AbortController();
    const states: StreamState[] = [];
    const told = 'event: hello\ndata: {"version":"1"}\n\n';
    vi.stubGlobal("fetch", vi.fn(async () => new Response(told)));
    let hellos = 0;
    await follow(new Api(), "/api/live", {}, {
      signal: over.signal,
      maxPauseMs: 5,
      onState: (state) => states.push(state),
      onEvent: () => ++hellos === 2 && over.abort(),
    });
    expect(states.slice(0, 4)).toEqual(["connecting", "open", "waiting", "connecting"]);
  });

  it("is given up where the key is refused", async () => {
    const refused = vi.fn();
    const body = JSON.stringify({ status: 401, code: "unauthorized", detail: "the key was revoked", title: "Unauthorized" });
    vi.stubGlobal("fetch", vi.fn(async () => new Response(body, { status: 401 })));
    const states: StreamState[] = [];
    await follow(new Api({ onUnauthorized: refused }), "/api/live", {}, {
      signal: new AbortController().signal,
      onState: (state) => states.push(state),
      onEvent: () => undefined,
    });
    expect(states).toEqual(["connecting", "closed"]);
    expect(refused).toHaveBeenCalledOnce();
  });
});

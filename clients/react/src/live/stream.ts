/** Server-sent events over fetch, so that the key travels in a header and never in an address. */

import type { Api, Query } from "../api/client";
import { Problem } from "../api/problem";

export type StreamEvent = { event: string; data: unknown };
export type StreamState = "connecting" | "open" | "waiting" | "closed";
export type StreamOptions = {
  onEvent: (event: StreamEvent) => void;
  onState: (state: StreamState, problem?: Problem) => void;
  signal: AbortSignal;
  /** How long silence may last before the connection counts as dropped; the server says something every 15 s. */
  silenceMs?: number;
  /** The longest pause between attempts. */
  maxPauseMs?: number;
};

const FIRST_PAUSE = 500;

/** Stays connected until aborted, or until the server says that it won't let this caller in. */
export async function follow(api: Api, path: string, query: Query, options: StreamOptions): Promise<void> {
  const { signal, onState, maxPauseMs = 15_000 } = options;
  let failures = 0;
  while (!signal.aborted) {
    onState("connecting");
    const problem = await listen(api, path, query, options, () => {
      failures = 0;
      onState("open");
    });
    if (signal.aborted) break;
    if (problem && !problem.transient) return onState("closed", problem);
    onState("waiting", problem ?? undefined);
    await pause(backoff(failures, maxPauseMs), signal);
    failures += 1;
  }
}

/** Doubles up to the longest pause, and is spread so that dashboards don't come back all at once. */
export function backoff(failures: number, longest: number, random: number = Math.random()): number {
  return Math.min(longest, FIRST_PAUSE * 2 ** Math.min(failures, 10)) * (0.5 + random / 2);
}

async function listen(
  api: Api,
  path: string,
  query: Query,
  { signal, onEvent, silenceMs = 40_000 }: StreamOptions,
  onOpen: () => void,
): Promise<Problem | null> {
  const dropped = new AbortController();
  const either = AbortSignal.any([signal, dropped.signal]);
  let timer = setTimeout(() => dropped.abort(), silenceMs);
  try {
    const response = await api.raw(path, query, { headers: { Accept: "text/event-stream" }, signal: either, cache: "no-store" });
    if (!response.body) return Problem.unreachable();
    onOpen();
    const parser = new Parser(onEvent);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return null;
      clearTimeout(timer);
      timer = setTimeout(() => dropped.abort(), silenceMs);
      parser.feed(value);
    }
  } catch (error) {
    return error instanceof Problem ? error : Problem.unreachable();
  } finally {
    clearTimeout(timer);
  }
}

/** Takes text in pieces of any size, and tells of each whole event. */
export class Parser {
  private rest = "";

  constructor(private readonly tell: (event: StreamEvent) => void) {}

  feed(text: string): void {
    const blocks = (this.rest + text).replace(/\r\n/g, "\n").split("\n\n");
    this.rest = blocks.pop() ?? "";
    for (const block of blocks) this.block(block);
  }

  private block(block: string): void {
    let event = "message";
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      if (colon <= 0) continue;
      const value = line.slice(colon + 1).replace(/^ /, "");
      if (line.startsWith("event:")) event = value;
      if (line.startsWith("data:")) data.push(value);
    }
    if (data.length) this.tell({ event, data: JSON.parse(data.join("\n")) });
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

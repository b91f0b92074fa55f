import { describe, expect, it } from "vitest";
import { ExactNumber, parseExact, shortExact, writeExact } from "./exact";

describe("exact JSON", () => {
  it("keeps every digit of every number", () => {
    const text = '{"a": 0.10, "b": [12345678901234567890, 1e400, -0, 1.5], "c": "0.10 \\" 1e5", "d": {}}';
    const read = parseExact(text) as { a: ExactNumber; b: unknown[]; c: string };
    expect(read.a.spelling).toBe("0.10");
    expect(read.b.map(String)).toEqual(["12345678901234567890", "1e400", "-0", "1.5"]);
    expect(read.c).toBe('0.10 " 1e5');
    expect(writeExact(read).replace(/\s+/g, "")).toBe(text.replace(/\s+/g, "").replace('0.10\\"1e5', '0.10\\"1e5'));
  });

  it("leaves ordinary JSON as it is", () => {
    expect(parseExact('{"n": 1, "t": true, "x": null}')).toEqual({ n: 1, t: true, x: null });
    expect(writeExact([])).toBe("[]");
    expect(shortExact({ region: "eu", n: 1 })).toBe('{ "region": "eu", "n": 1 }');
    expect(shortExact("plain")).toBe("plain");
  });

  it("refuses what is no JSON", () => {
    expect(() => parseExact("{'a': 0.10}")).toThrow(SyntaxError);
  });
});

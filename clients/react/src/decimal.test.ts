import { describe, expect, it } from "vitest";

import { add, compare, round, subtract } from "./decimal";
import { formatCompact, formatMoney, formatNumber, formatPercent } from "./format";

describe("decimal text", () => {
  it("adds and subtracts exactly, where binary floats can't", () => {
    expect(add("0.1", "0.2")).toBe("0.3");
    expect(add("9007199254740993", "0.000000000000000001")).toBe("9007199254740993.000000000000000001");
    expect(add()).toBe("0");
    expect(subtract("1", "1.000000000000000001")).toBe("-0.000000000000000001");
  });

  it("compares exactly", () => {
    expect(compare("9007199254740993", "9007199254740992")).toBe(1);
    expect(compare("-1.50", "-1.5")).toBe(0);
  });

  it("rounds half away from zero", () => {
    expect([round("2.345", 2), round("-2.345", 2), round("2.344999", 2), round("9.99", 1)]).toEqual(["2.35", "-2.35", "2.34", "10.0"]);
  });
});

describe("what is shown", () => {
  it("keeps every digit of a quantity", () => {
    expect(formatNumber("123456789012345678.123456789012345678")).toBe("123,456,789,012,345,678.123456789012345678");
    expect([formatNumber("-1234"), formatNumber("0"), formatNumber(null), formatNumber("-0")]).toEqual(["\u22121,234", "0", "–", "0"]);
  });

  it("keeps every digit of an amount, and shows those that the currency has", () => {
    expect(formatMoney("90071992547409931.07", "USD")).toBe("$90,071,992,547,409,931.07");
    expect([formatMoney("300", "USD"), formatMoney("353.6", "EUR"), formatMoney("1200", "JPY")]).toEqual(["$300.00", "€353.60", "¥1,200"]);
    expect([formatMoney("-0.5", "USD"), formatMoney("1.005", "USD"), formatMoney(null, "USD")]).toEqual(["\u2212$0.50", "$1.005", "–"]);
    expect(formatMoney("5", "XTS")).toContain("XTS");
  });

  it("shortens only where it says so", () => {
    expect(["999", "12345", "1234567", "999999", "0.000123456", "123456789012345678"].map(formatCompact)).toEqual([
      "999", "12.3k", "1.23M", "1000k", "0.000123", "123P",
    ]);
  });

  it("writes shares and growth", () => {
    expect([formatPercent("0.467741"), formatPercent(-0.1, { sign: true }), formatPercent(0.125, { sign: true })]).toEqual([
      "46.8\u202f%", "\u221210\u202f%", "+12.5\u202f%",
    ]);
  });
});

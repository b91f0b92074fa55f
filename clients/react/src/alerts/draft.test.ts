import { describe, expect, it } from "vitest";
import { byLimit, draftOf, emptyDraft, limitOf, percentOf, problemsOf, requestOf } from "./draft";
import type { Alert } from "./use-alerts";

const ALERT = {
  id: 1,
  name: "Monthly budget",
  kind: "cost",
  team_id: "acme",
  plan: null,
  metric: null,
  currency: "USD",
  threshold_value: "1000.10",
  type: "soft",
  action: { notify: [], throttle: false },
  hysteresis: "0",
  weeks: 4,
  active: true,
  steps: [
    { id: 1, percent: "80", value: null, limit: "800.08", type: "soft", action: { notify: ["email"], throttle: false } },
    { id: 2, percent: null, value: "1500", limit: "1500", type: "hard", action: { notify: [], throttle: true } },
  ],
  created_at: "2026-03-01T00:00:00Z",
  updated_at: "2026-03-01T00:00:00Z",
  last_triggered_at: null,
} as Alert;

describe("an alert while it is edited", () => {
  it("comes to the request that makes the same alert again", () => {
    expect(requestOf(draftOf(ALERT))).toEqual({
      name: "Monthly budget",
      kind: "cost",
      team_id: "acme",
      plan: null,
      metric: null,
      currency: "USD",
      threshold_value: "1000.10",
      steps: [
        { percent: "80", type: "soft", action: { notify: ["email"], throttle: false } },
        { value: "1500", type: "hard", action: { notify: [], throttle: true } },
      ],
    });
  });

  it("never throttles on a soft step, and leaves a name that is not given to the server", () => {
    const draft = { ...emptyDraft("acme"), threshold: " 5 " };
    const request = requestOf({ ...draft, steps: [{ of: "percent", number: "100", hard: false, throttle: true, notify: [] }] });
    expect(request.steps![0]!.action!.throttle).toBe(false);
    expect("name" in request).toBe(false);
    expect(request.threshold_value).toBe("5");
  });

  it("says what is missing", () => {
    const problems = problemsOf({ ...emptyDraft(null), kind: "usage", threshold: "1e5", teamId: "a", plan: "b" });
    expect(Object.keys(problems).sort()).toEqual(["metric", "plan", "threshold_value"]);
    expect(problemsOf({ ...emptyDraft("acme"), threshold: "0.5" })).toEqual({});
  });

  it("has exact limits", () => {
    expect(percentOf("0.3", "10")).toBe("0.03");
    expect(percentOf("1000.10", "80")).toBe("800.08");
    expect(percentOf("-50", "150")).toBe("-75");
    expect(percentOf("99999999999999999999.999999999999999999", "33.3")).toBe("33299999999999999999.999999999999999999667");
    expect(limitOf("x", { of: "percent", number: "80", hard: false, throttle: false, notify: [] })).toBeNull();
    expect(byLimit([{ limit: "10" }, { limit: null }, { limit: "9.5" }])).toEqual([{ limit: "9.5" }, { limit: "10" }, { limit: null }]);
  });
});

import { describe, expect, it } from "vitest";
import { draftOf, emptyDraft, type Policy, policyOf, problemsOf } from "./policy";

const common: Policy = {
  name: "p",
  for: "300s",
  keepFiringFor: "60s",
  severity: "critical",
  labels: { team: "core" },
  annotations: { summary: "s {{ $value }}" },
  disabled: true,
};

const kinds: Policy[] = [
  { ...common, promql: { expr: "up == 0" } },
  {
    ...common,
    threshold: {
      series: "a_total",
      function: "rate",
      window: "60s",
      comparison: "COMPARISON_AT_MOST",
      value: -0.5,
      by: ["job", "stage"],
    },
  },
  { ...common, absence: { series: 'up{job="x"}', window: "600s" } },
  {
    ...common,
    ratio: { part: "bad", whole: "all", window: "300s", comparison: "COMPARISON_ABOVE", value: 0.05, by: [] },
  },
  { ...common, anomaly: { series: "a", function: "avg", window: "3600s", days: 14, deviations: 2.5, atLeast: 1 } },
];

describe("policies", () => {
  it.each(kinds)("come back as they were: $name", (p) => {
    const draft = draftOf(p);
    expect(problemsOf(draft)).toEqual({});
    expect(policyOf(draft)).toEqual(p);
  });

  it("has no times at a log pattern", () => {
    const p: Policy = {
      name: "l",
      logPattern: { topic: "t", field: "", regexp: "a.b", by: ["host.name"], count: "3", within: "60s" },
      for: "60s",
      severity: "info",
      labels: {},
      annotations: {},
      disabled: false,
    };
    const { for: _, ...rest } = p;
    expect(policyOf(draftOf(p))).toEqual(rest);
    expect(policyOf({ ...draftOf(p), how: "contains" }).logPattern?.regexp).toBeUndefined();
  });

  it.each([
    [{ name: "", series: "a", value: "1" }, { name: "needed" }],
    [{ name: "a b", series: "a", value: "1" }, { name: "name" }],
    [
      { name: "a", series: "", value: "" },
      { series: "needed", value: "needed" },
    ],
    [
      { name: "a", series: "a", value: "one", window: "5" },
      { value: "number", window: "duration" },
    ],
    [{ name: "a", series: "a", value: "1", for: "x" }, { for: "duration" }],
    [{ name: "a", kind: "anomaly", series: "a", days: "1" }, { days: "range" }],
    [{ name: "a", kind: "logPattern", topic: "t", pattern: "p", count: "1.5" }, { count: "whole" }],
    [{ name: "a", kind: "promql" }, { expr: "needed" }],
    [{ name: "a", series: "a", value: "1", labels: [["severity", "x"]] }, { labels: "label" }],
  ] as const)("finds what is wrong in %j", (typed, wrong) => {
    expect(problemsOf({ ...emptyDraft(), ...(typed as object) })).toEqual(wrong);
  });
});

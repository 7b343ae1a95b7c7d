import { describe, expect, it } from "vitest";
import {
  type Alert,
  filterAlerts,
  groupAlerts,
  indicesOf,
  logsLink,
  patternQuery,
  queryOf,
  timelineOf,
  told,
  webLink,
} from "./alert";
import { chartOf, namesOf, splitComparison } from "./chart-data";
import { parseDuration, shownDuration, wireDuration, writeDuration } from "./duration";
import { matchersOf, matcherText, matches, problemOf } from "./matchers";

const alert = (labels: Record<string, string>, rest: Partial<Alert> = {}): Alert => ({
  fingerprint: Object.values(labels).join("-"),
  labels,
  annotations: {},
  startsAt: "2026-03-01T10:00:00Z",
  state: "ALERT_STATE_ACTIVE",
  ...rest,
});

describe("durations", () => {
  it.each([
    ["5m", 300],
    ["1h30m", 5400],
    ["90s", 90],
    ["1h 30m", 5400],
    ["500ms", 0.5],
    ["0", 0],
    ["5", undefined],
    ["", undefined],
    ["m5", undefined],
    ["-5m", undefined],
  ])("%s is %s seconds", (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each([
    [300, "5m"],
    [5400, "1h30m"],
    [604_800, "1w"],
    [691_200, "8d"],
    [0.5, "500ms"],
    [90_061, "1d1h1m1s"],
  ])("%s seconds are written %s, and read again", (seconds, text) => {
    expect(writeDuration(seconds)).toBe(text);
    expect(parseDuration(text)).toBe(seconds);
  });

  it("goes to the API and back", () => {
    expect(wireDuration("5m")).toBe("300s");
    expect(wireDuration(" ")).toBeUndefined();
    expect(shownDuration("300s")).toBe("5m");
    expect(shownDuration("0s")).toBe("");
    expect(shownDuration(null)).toBe("");
  });
});

describe("matchers", () => {
  it("matches the whole value, a missing label being empty", () => {
    const labels = { alertname: "DiskFull", host: "web-7" };
    expect(matches([{ name: "host", value: "web", regexp: true }], labels)).toBe(false);
    expect(matches([{ name: "host", value: "web-.*|db", regexp: true }], labels)).toBe(true);
    expect(matches([{ name: "region", value: "", regexp: false }], labels)).toBe(true);
    expect(matches([{ name: "region", value: "cn", negated: true }], labels)).toBe(true);
    expect(matches([{ name: "host", value: "web-.", regexp: true, negated: true }], labels)).toBe(false);
    expect(matches(matchersOf(labels), labels)).toBe(true);
    expect(matches(matchersOf(labels), { ...labels, host: "web-8" })).toBe(false);
  });

  it("says what is wrong", () => {
    expect(problemOf([])).toBe("none");
    expect(problemOf([{ name: "", value: "x" }])).toBe("name");
    expect(problemOf([{ name: "a", value: "(", regexp: true }])).toBe("regexp");
    expect(problemOf([{ name: "a", value: ".*", regexp: true }])).toBe("all");
    expect(problemOf([{ name: "a", value: "x" }])).toBeUndefined();
  });

  it("writes them as the Alertmanager does", () => {
    expect(matcherText({ name: "a", value: 'x"y' })).toBe('a="x\\"y"');
    expect(matcherText({ name: "a", value: "x|y", regexp: true, negated: true })).toBe('a!~"x|y"');
  });
});

describe("alerts", () => {
  const all = [
    alert({ alertname: "Slow", severity: "warning" }),
    alert({ alertname: "Full", severity: "critical", host: "web-7" }, { state: "ALERT_STATE_ACKNOWLEDGED" }),
    alert({ alertname: "Slow", severity: "info" }),
  ];

  it("filters by words and state", () => {
    expect(filterAlerts(all, "host=web full", "")).toEqual([all[1]]);
    expect(filterAlerts(all, "", "ALERT_STATE_ACTIVE")).toHaveLength(2);
    expect(filterAlerts(all, "nothing", "")).toEqual([]);
  });

  it("groups by name, the worst first", () => {
    expect(groupAlerts(all).map((g) => [g.name, g.alerts.length])).toEqual([
      ["Full", 1],
      ["Slow", 2],
    ]);
  });

  it("tells what happened, without what came before it began", () => {
    const a = alert(
      { alertname: "Full" },
      {
        handling: {
          acknowledgedBy: "ann",
          acknowledgedAt: "2026-03-01T10:05:00Z",
          comments: [{ by: "bob", at: "2026-03-01T10:06:00Z", text: "on it" }],
        },
      },
    );
    const told = (at: string, error = "") => ({
      at,
      receiver: "mail",
      error,
      alerts: [{ fingerprint: a.fingerprint }],
    });
    const events = timelineOf(a, [
      told("2026-03-01T09:00:00Z"),
      told("2026-03-01T10:02:00Z"),
      told("2026-03-01T10:01:00Z", "refused"),
      { ...told("2026-03-01T10:03:00Z"), test: true },
    ]);
    expect(events.map((e) => e.kind)).toEqual(["began", "failed", "told", "acknowledged", "comment"]);
  });

  it("links to logs, queries and pages only", () => {
    expect(logsLink(alert({ host: "web-7" }))).toBe(
      "/search?q=host.name%3A%22web-7%22&from=2026-03-01T09%3A50%3A00.000Z&to=2026-03-01T10%3A10%3A00.000Z",
    );
    expect(queryOf(alert({}, { generatorUrl: "http://x/dashboards?query=up+%3D%3D+0" }))).toBe("up == 0");
    expect(webLink("https://example.com/runbook")).toBe("https://example.com/runbook");
    expect(webLink("javascript:alert(1)")).toBeUndefined();
  });
});

describe("charts", () => {
  it.each([
    ["rate(a[5m]) > 0.5", "rate(a[5m])", 0.5],
    ["sum by (x) (a > 3) >= -2e3", "sum by (x) (a > 3)", -2000],
    ["a > 1 and b > 2", "a > 1 and b > 2", undefined],
    ["absent(a)", "absent(a)", undefined],
    ['a{b="x > 1"} < 1', 'a{b="x > 1"}', 1],
    ["a > b > 1", "a > b > 1", undefined],
  ])("draws of %s the value", (expr, value, limit) => {
    const split = splitComparison(expr);
    expect(split.expr).toBe(value);
    expect(split.limit).toBe(limit);
  });

  it("names series by what differs and leaves gaps", () => {
    expect(
      namesOf(
        [
          { __name__: "a", x: "1", y: "z" },
          { __name__: "a", x: "2", y: "z" },
        ],
        "a",
      ),
    ).toEqual(["1", "2"]);
    const sample = (s: number, value: number) => ({ time: new Date(s * 1000).toISOString(), value });
    const made = chartOf(
      [
        { labels: { x: "1" }, samples: [sample(1, 5), sample(2, 6)] },
        { labels: { x: "2" }, samples: [sample(2, "NaN" as unknown as number), sample(3, 7)] },
      ],
      "q",
    );
    expect(made.times).toEqual([1000, 2000, 3000]);
    expect(made.series.map((s) => s.values)).toEqual([
      [5, 6, null],
      [null, null, 7],
    ]);
  });
});

describe("a log pattern", () => {
  it("becomes a query", () => {
    expect(patternQuery({ contains: 'say "no"' })).toBe('"say \\"no\\""');
    expect(patternQuery({ regexp: "ERROR|FATAL" })).toBe('"ERROR" OR "FATAL"');
    expect(patternQuery({ regexp: "(timed out|refused)" })).toBe('"timed out" OR "refused"');
    expect(patternQuery({ regexp: "GET /a.*" })).toBe("/GET \\/a.*/");
    expect(patternQuery({})).toBe("");
  });
  it("leads to its lines, in the index that they go to", () => {
    const edges = [
      { from: "topic/a", to: "job/x" },
      { from: "job/x", to: "index/i" },
      { from: "job/y", to: "index/j" },
      { from: "topic/a", to: "job/policy" },
      { from: "job/policy", to: "alerts" },
    ];
    expect(indicesOf(edges, "a")).toEqual(["i"]);
    expect(indicesOf(edges, "b")).toEqual([]);
    const link = logsLink({ startsAt: "2026-11-28T10:00:00Z" }, { contains: "ERROR" }, "i");
    expect(link).toMatch(/^\/search\?index=i&q=%22ERROR%22&from=/);
  });
});

it("told leaves out nobody", () => {
  expect(told({ receivers: ["nobody"] })).toEqual([]);
  expect(told({ receivers: ["mail", "nobody"] })).toEqual(["mail"]);
});

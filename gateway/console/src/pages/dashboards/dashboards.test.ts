import { describe, expect, it } from "vitest";
import type { Field } from "@/search/fields";
import { chosen, intervalFor } from "@/search/interval";
import {
  chartOf,
  filledLegend,
  type Line,
  promLines,
  rowsOf,
  searchBody,
  searchLines,
  wholeBuckets,
  withoutYoung,
} from "./answers";
import { panelOfSearch } from "./from-search";
import { add, compact, inside, place } from "./layout";
import { dashboardOf, lackOf, nameOf, newPanel, newQuery, type Panel, type Search, schemaOf } from "./model";
import { safe } from "./safe";
import { sharesOf } from "./shares";
import { builtIn, stepOf } from "./steps";
import { indexFor, missingTime, suited } from "./suit";
import { formatOf } from "./units";
import { ANY, fieldNames, filled, filledExpr, roleOf, valuesOf } from "./variables";

const panel = (id: string, x: number, y: number, width: number, height: number): Panel => ({
  ...newPanel(id, "line", []),
  x,
  y,
  width,
  height,
});
const at = (panels: Panel[]) => Object.fromEntries(panels.map((p) => [p.id, [p.x, p.y]]));

describe("layout", () => {
  it("keeps boxes on the grid", () => {
    expect(inside({ x: -3, y: -1, width: 40, height: 0 })).toEqual({ x: 0, y: 0, width: 24, height: 1 });
    expect(inside({ x: 20, y: 2, width: 8, height: 3 })).toEqual({ x: 16, y: 2, width: 8, height: 3 });
  });
  it("lets panels rise into gaps, but not through others", () => {
    const panels = [panel("a", 0, 3, 12, 4), panel("b", 0, 9, 24, 2), panel("c", 12, 20, 12, 2)];
    expect(at(compact(panels))).toEqual({ a: [0, 0], b: [0, 4], c: [12, 6] });
  });
  it("makes room for what is moved, and never has two on one place", () => {
    let panels = [panel("a", 0, 0, 12, 4), panel("b", 12, 0, 12, 4), panel("c", 0, 4, 24, 4)];
    panels = place(panels, "c", { x: 0, y: 0, width: 24, height: 4 });
    expect(at(panels)).toEqual({ c: [0, 0], a: [0, 4], b: [12, 4] });
    panels = place(panels, "b", { x: 6, y: 4, width: 12, height: 6 });
    expect(at(panels)).toEqual({ c: [0, 0], b: [6, 4], a: [0, 10] });
  });
  it("puts a new panel where there is room, or below", () => {
    const panels = [panel("a", 0, 0, 12, 8), panel("b", 12, 0, 12, 4)];
    expect(at(add(panels, panel("n", 0, 0, 12, 4))).n).toEqual([12, 4]);
    expect(at(add(panels, panel("n", 0, 0, 24, 4))).n).toEqual([0, 8]);
  });
});

describe("variables", () => {
  it("fills names in whole", () => {
    const values = { job: "demo", jobs: "x" };
    // biome-ignore lint/suspicious/noTemplateCurlyInString: these are a dashboard's variables.
    const text = "$job $jobs ${job:regex}_a $other $__interval";
    expect(filled(text, values)).toBe("demo x demo_a $other $__interval");
  });
  it("quotes values in regular expressions, but for all", () => {
    expect(filledExpr('up{job=~"$job",i="$job"}', { job: "a.b" })).toBe('up{job=~"a\\\\.b",i="a.b"}');
    expect(filledExpr('up{job=~"$job"}', { job: ANY })).toBe('up{job=~".*"}');
    expect(filledExpr('up{job="$job"}', { job: 'x"} or y{z="' })).toBe('up{job="x\\"} or y{z=\\""}');
    expect(filledExpr("rate(x[$__rate_interval])", { __rate_interval: "60s" })).toBe("rate(x[60s])");
  });

  const field = (name: string, kind: Field["kind"], whole = name): Field => ({
    name,
    types: [kind],
    kind,
    searchable: true,
    whole,
  });
  const fields = [
    field("@timestamp", "date"),
    field("bytes", "number"),
    field("host", "text", "host.keyword"),
    field("ok", "boolean"),
  ];
  const search: Search = {
    ...(newQuery("search", "$index") as Search),
    timeField: "$time",
    metric: "avg",
    field: "$field",
    groupBy: "$source",
  };
  const panels = [newPanel("p1", "line", [search])];
  it("makes a panel of a search", () => {
    const panel = panelOfSearch("shop", "level:ERROR", [newPanel("p1", "line", [])]);
    expect(panel).toMatchObject({ id: "p2", kind: "line", title: "level:ERROR" });
    expect(panel.queries).toMatchObject([{ source: "search", index: "shop", query: "level:ERROR", metric: "count" }]);
  });
  it("takes the interval that is chosen, unless that is too many bars", () => {
    expect(chosen("5m", 0, 3_600_000, 1500)).toEqual({ text: "5m", ms: 300_000, calendar: false });
    expect(chosen("1s", 0, 3_600_000, 1500)).toBeUndefined();
    expect(chosen("", 0, 3_600_000, 1500)).toBeUndefined();
    expect(chosen("5 minutes", 0, 3_600_000, 1500)).toBeUndefined();
  });
  it("finds fields that suit another index", () => {
    expect(roleOf("time", panels)).toBe("time");
    expect(roleOf("field", panels)).toBe("number");
    expect(fieldNames(fields, "group")[0]).toBe("host.keyword");
    const variables = [
      { name: "index", label: "", value: "logs", source: "indices" },
      { name: "time", label: "", value: "createTime", source: "fields" },
      { name: "source", label: "", value: "path.keyword", source: "fields" },
      { name: "field", label: "", value: "num", source: "fields" },
    ];
    const chosen = (name: string) => (name === "field" ? "mine" : null);
    expect(valuesOf({ variables, panels }, chosen, fields)).toEqual({
      index: "logs",
      time: "@timestamp",
      source: "host.keyword",
      field: "mine",
    });
  });
});

describe("answers", () => {
  const span = { from: 1_000_000, to: 1_060_000 };
  const query: Search = { ...(newQuery("search", "logs") as Search), timeField: "t", metric: "p95", field: "ms" };
  it("asks for a percentile over time by group", () => {
    const body = searchBody({ ...query, groupBy: "host", size: 3 }, span, intervalFor(span.from, span.to, 60));
    expect(body.aggs).toMatchObject({
      groups: {
        terms: { field: "host", size: 3 },
        aggs: {
          time: {
            date_histogram: { field: "t", fixed_interval: "1s" },
            aggs: { metric: { percentiles: { field: "ms", percents: [95] } } },
          },
        },
      },
    });
  });
  it("reads groups over time", () => {
    const bucket = (key: number, value: number | null) => ({
      key,
      doc_count: value === null ? 0 : 2,
      metric: { values: [{ key: 95, value }] },
    });
    const buckets = [{ key: "a", doc_count: 4, time: { buckets: [bucket(1000, 7), bucket(2000, null)] } }];
    const lines = searchLines(
      { ...query, groupBy: "host", legend: "of {{host}}" },
      { aggregations: { groups: { buckets } } },
      span,
      1,
    );
    expect(lines).toEqual([{ name: "of a", labels: { host: "a" }, query: 1, times: [1000, 2000], values: [7, null] }]);
  });
  it("reads a plain count", () => {
    const answer = { hits: { total: { value: 12, relation: "eq" } } };
    const lines = searchLines({ ...query, metric: "count", overTime: false }, answer, span, 0);
    expect(lines[0]?.values).toEqual([12]);
    expect(lines[0]?.name).toBe("count");
  });
  it("leaves out counts that the span cuts", () => {
    const times = [990_000, 1_000_000, 1_030_000, 1_055_000];
    const line: Line = { name: "", labels: {}, query: 0, times, values: [1, 9, 9, 1] };
    expect(wholeBuckets(line, span, 15_000).values).toEqual([9, 9]);
  });
  it("names series by what differs, and takes NaN for none", () => {
    const lines = promLines(
      [
        { labels: { __name__: "up", job: "a" }, samples: [{ time: "1970-01-01T00:00:01Z", value: 1 }] },
        {
          labels: { __name__: "up", job: "b" },
          samples: [{ time: "1970-01-01T00:00:02Z", value: "NaN" as unknown as number }],
        },
      ],
      "",
      0,
    );
    expect(lines.map((line) => line.name)).toEqual(["a", "b"]);
    expect(chartOf(lines)).toEqual({
      times: [1000, 2000],
      series: [
        { name: "a", values: [1, null] },
        { name: "b", values: [null, null] },
      ],
    });
    const line: Line = {
      name: "",
      labels: {},
      query: 0,
      times: [0, 1, 2, 3, 9],
      values: [1, null, 2, null, 3],
      bridge: 3,
    };
    expect(chartOf([line]).series[0]?.values).toEqual([1, undefined, 2, null, 3]);
    expect(filledLegend("{{ job }}/{{gone}}", { job: "a" })).toBe("a/");
  });
  it("joins queries to rows", () => {
    const line = (query: number, labels: Record<string, string>, value: number): Line => ({
      name: "",
      labels,
      query,
      times: [1],
      values: [value],
    });
    const all = rowsOf(
      [
        line(0, { __name__: "x", job: "a", i: "1" }, 1),
        line(1, { __name__: "y", job: "a", i: "1" }, 2),
        line(0, { job: "b", i: "1" }, 3),
      ],
      2,
    );
    expect(all.columns).toEqual(["job"]);
    expect(all.common).toEqual([["i", "1"]]);
    expect(all.rows.map((row) => row.values)).toEqual([
      [1, 2],
      [3, null],
    ]);
  });
  it("puts small shares together", () => {
    const lines = [5, 0, 3, 2, 1].map((value, i) => ({
      name: `n${i}`,
      labels: {},
      query: 0,
      times: [1],
      values: [value],
    }));
    expect(sharesOf(lines, 3, "others")).toEqual([
      { name: "n0", value: 5 },
      { name: "n2", value: 3 },
      { name: "others", value: 3 },
    ]);
  });
  it("takes steps that people read, and rates over four scrapes at least", () => {
    expect(stepOf({ from: 0, to: 3_600_000 }, 200)).toBe(30);
    expect(builtIn({ from: 0, to: 3_600_000 }, 30).__rate_interval).toBe("60s");
    expect(builtIn({ from: 0, to: 3_600_000 }, 120).__rate_interval).toBe("135s");
  });
});

describe("model", () => {
  it("goes to the API and back", () => {
    const own = {
      ...dashboardOf({}),
      name: "n",
      title: "T",
      version: 3,
      panels: [
        { ...newPanel("p1", "stat", [{ ...newQuery("promql"), legend: "l" }]), unit: "s" },
        { ...newPanel("p2", "pie", [newQuery("search", "logs")]), stacked: true },
        { ...newPanel("p3", "text", []), text: "# hi" },
      ],
    };
    expect(dashboardOf(schemaOf(own))).toEqual(own);
  });
  it("makes names", () => {
    expect(nameOf("My Logs: errors!", new Date(0))).toBe("my-logs-errors");
    expect(nameOf("日志", new Date(36))).toBe("dashboard-10");
  });
  it("says what is missing", () => {
    expect(lackOf(newPanel("p", "line", [newQuery("promql")]))).toBe("expr");
    expect(lackOf(newPanel("p", "line", [newQuery("search")]))).toBe("index");
    expect(lackOf(newPanel("p", "line", [{ ...newQuery("search", "x"), metric: "avg" } as Search]))).toBe("field");
    expect(lackOf(newPanel("p", "text", []))).toBeUndefined();
  });
});

describe("units", () => {
  it.each([
    ["short", 0.25, "0.25"],
    ["short", 12_400, "12.4 k"],
    ["percentunit", 0.00125, "0.13 %"],
    ["percent", 50, "50 %"],
    ["bytes", 1536, "1.5 KiB"],
    ["ms", -1500, "−1.5 s"],
    ["rowsps", 15, "15/s"],
    ["furlongs", 3, "3 furlongs"],
  ])("%s %d is %s", (unit, value, text) => {
    expect(formatOf(unit, "en")(value)).toBe(text);
  });
});

describe("markdown", () => {
  it.each([
    ["https://example.org", true],
    ["/search?index=x", true],
    ["javascript:alert(1)", false],
    ["//elsewhere", false],
    ["data:text/html,x", false],
  ])("link %s is safe: %s", (href, ok) => {
    expect(safe(href)).toBe(ok);
  });
});

describe("a query of documents", () => {
  const field = (name: string, kind: Field["kind"], whole: string | undefined = name): Field => ({
    name,
    types: [kind],
    kind,
    searchable: true,
    whole,
  });
  const fields = [field("time", "date"), field("level", "text", "level.keyword"), field("msg", "text", undefined)];
  const query = newQuery("search", "shop") as Search;
  it("fills in the time and the whole values of a text", () => {
    const next = suited({ ...query, groupBy: "level" }, fields);
    expect([next.timeField, next.groupBy]).toEqual(["time", "level.keyword"]);
    expect(suited(next, fields)).toBe(next);
    expect(suited(query, [])).toBe(query);
    expect(suited({ ...query, metric: "cardinality", field: "level" }, fields).field).toBe("level.keyword");
    expect(suited({ ...query, groupBy: "msg" }, fields).groupBy).toBe("msg");
    expect(suited({ ...query, timeField: "$time" }, fields).timeField).toBe("$time");
  });
  it("begins with the index of the last panel, or one's own", () => {
    const of = (index: string) => ({ ...newPanel("p", "line", [{ ...query, index }]) });
    expect(indexFor([of("a"), of("b"), newPanel("t", "text", [])], ["c"])).toBe("b");
    expect(indexFor([newPanel("m", "line", [newQuery("promql")])], ["oceanus_test2", "shop"])).toBe("shop");
    expect(indexFor([], ["oceanus_test2"])).toBe("oceanus_test2");
    expect(indexFor([], [])).toBe("");
  });
  it("says which fields with a time there are", () => {
    const missing = { index: "shop", field: "@timestamp", dates: ["time"] };
    expect(missingTime("shop", "@timestamp", fields)).toEqual(missing);
    expect(missingTime("shop", "time", fields)).toBeUndefined();
    expect(missingTime("shop", "time", [])).toBeUndefined();
  });
});

it("withoutYoung leaves out what has only begun", () => {
  const line: Line = { name: "", labels: {}, query: 0, times: [0, 10, 20], values: [1, 2, 9] };
  expect(withoutYoung(line, { from: 0, to: 24 }, 10).values).toEqual([1, 2]);
  expect(withoutYoung(line, { from: 0, to: 26 }, 10)).toBe(line);
  const only = { ...line, values: [null, null, 9] };
  expect(withoutYoung(only, { from: 0, to: 21 }, 10)).toBe(only);
});

import { ApiError, Code } from "@weirflow/sdk";
import { describe, expect, it } from "vitest";
import { fieldsOf, timeFieldOf } from "@/search/fields";
import { intervalFor, overTime } from "@/search/interval";
import { failure, type Hit } from "@/search/store";
import { aroundOf, linesOf } from "./around";
import { complete, quoted } from "./complete";
import { flat, lineField, presentFields, sampleTop, timeOf, valueAt } from "./document";
import { columnsOf, head, writeRows } from "./export";
import { clausesOf, filterOf, readFilters, withFilter, writeFilters } from "./filter";
import { piecesOf, plain } from "./marks";
import { panelQuery } from "./panel";
import { type Asked, pageOf, queryOf, withoutRepeats } from "./request";
import { newestFirst, Seen } from "./seen";
import { valuesIn } from "./values";
import { allOf, bareWords } from "./words";

const field = (name: string, type: string, aggregatable = type !== "text") => ({
  name,
  types: [type],
  searchable: true,
  aggregatable,
});
const fields = fieldsOf([
  field("@timestamp", "date"),
  field("createTime", "date"),
  field("message", "text"),
  field("path", "text"),
  field("path.keyword", "keyword"),
  field("log.file.path", "keyword"),
  field("log.offset", "long"),
  field("_id", "keyword"),
]);
const hit = (id: string, source: Record<string, unknown>, sort: unknown[] = []): Hit => ({
  _index: "logs",
  _id: id,
  _source: source,
  sort,
});

describe("fields", () => {
  it("puts what is indexed beneath a text with it", () => {
    expect(fields.map((one) => one.name)).not.toContain("path.keyword");
    expect(fields.find((one) => one.name === "path")?.whole).toBe("path.keyword");
    expect(fields.find((one) => one.name === "message")?.whole).toBeUndefined();
    expect(fields.map((one) => one.name)).toContain("log.file.path");
  });
  it("chooses the time", () => {
    expect(timeFieldOf(fields)).toBe("@timestamp");
    expect(timeFieldOf(fields.filter((one) => one.name !== "@timestamp"))).toBe("createTime");
    expect(timeFieldOf([])).toBe("");
  });
});

describe("intervals", () => {
  it.each([
    [900_000, 90, "10s", false],
    [3_600_000, 90, "1m", false],
    [86_400_000, 90, "30m", false],
    [30 * 86_400_000, 90, "12h", false],
    [90 * 86_400_000, 90, "1d", true],
    [3650 * 86_400_000, 90, "1q", true],
  ])("%d ms in %d bars: %s", (span, bars, text, calendar) => {
    expect(intervalFor(0, span, bars)).toMatchObject({ text, calendar });
  });
  it("has the days begin in one's own zone", () => {
    const made = overTime("t", 0, 1, { text: "1d", ms: 86_400_000, calendar: true });
    expect(made.date_histogram).toMatchObject({ calendar_interval: "1d", extended_bounds: { min: 0, max: 1 } });
    expect(made.date_histogram.time_zone).toBeTruthy();
  });
});

describe("filters", () => {
  it("go into the URL and back, with every digit", () => {
    const filters = readFilters('[["num","is",12],["a","not","x"],["b","exists"],["c","is"],7]');
    expect(filters).toHaveLength(3);
    expect(writeFilters([{ field: "num", op: "is", value: 9007199254740993n }])).toBe(
      '[["num","is",9007199254740993]]',
    );
    expect(readFilters(writeFilters(filters))).toEqual(filters);
    expect(readFilters("nonsense")).toEqual([]);
  });
  it("turn a filter against the same value round", () => {
    const one = filterOf("a", "x", false);
    const other = filterOf("a", "x", true);
    if (!one || !other) throw new Error("no filter");
    expect(withFilter([one], other)).toEqual([other]);
    expect(filterOf("a", null, true)).toEqual({ field: "a", op: "exists" });
    expect(filterOf("a", { b: 1 }, true)).toBeUndefined();
  });
  it("ask for whole values where they are indexed, and for phrases where not", () => {
    const long = "x".repeat(300);
    const made = clausesOf(
      [
        { field: "path", op: "is", value: "/var/log" },
        { field: "path", op: "not", value: long },
        { field: "message", op: "is", value: "a b" },
        { field: "log.offset", op: "missing" },
      ],
      fields,
    );
    expect(made.filter).toEqual([
      { term: { "path.keyword": { value: "/var/log" } } },
      { match_phrase: { message: "a b" } },
    ]);
    expect(made.must_not).toEqual([{ match_phrase: { path: long } }, { exists: { field: "log.offset" } }]);
  });
});

describe("requests", () => {
  const asked: Asked = { query: "kworker", filters: [], timeField: "@timestamp", fields };
  it("find all, where nothing is asked", () => {
    expect(queryOf({ ...asked, query: " * ", timeField: "" }, undefined)).toEqual({ match_all: {} });
  });
  it("page on after the last document", () => {
    const body = pageOf(asked, { from: 1, to: 2 }, [5, 7]);
    expect(body).toMatchObject({
      search_after: [5, 7],
      sort: [{ "@timestamp": { order: "desc", unmapped_type: "date" } }, { _doc: { order: "desc" } }],
      query: { bool: { filter: [{ range: { "@timestamp": { gte: 1, lte: 2 } } }] } },
    });
    expect(body.highlight).toBeDefined();
    expect(pageOf({ ...asked, query: "" }, undefined).highlight).toBeUndefined();
  });
  it("show a document once", () => {
    expect(withoutRepeats([hit("a", {}), hit("b", {}), hit("a", {})]).map((one) => one._id)).toEqual(["a", "b"]);
  });
});

describe("documents", () => {
  const source = {
    message: "m",
    log: { offset: 5, file: { path: "/x" } },
    "a.b": 1,
    list: [{ k: 1 }, { k: 2 }],
    empty: {},
  };
  it("find values nested, written with dots, and in lists", () => {
    expect(valueAt(source, "log.file.path")).toBe("/x");
    expect(valueAt(source, "a.b")).toBe(1);
    expect(valueAt(source, "list.k")).toEqual([1, 2]);
    expect(valueAt(source, "log.none")).toBeUndefined();
  });
  it("become flat in their own order", () => {
    const names = ["message", "log.offset", "log.file.path", "a.b", "list", "empty"];
    expect(flat(source).map(([name]) => name)).toEqual(names);
    expect(lineField(source)).toBe("message");
    expect([...presentFields([hit("a", source)])]).toContain("log.file.path");
  });
  it("have a time, however it is written", () => {
    const at = Date.UTC(2026, 2, 1);
    expect(timeOf(hit("a", {}, [at]), "t")?.getTime()).toBe(at);
    expect(timeOf(hit("a", {}, [BigInt(at) * 1_000_000n + 9n]), "t")?.getTime()).toBe(at);
    expect(timeOf(hit("a", { t: "2026-03-01T00:00:00Z" }), "t")?.getTime()).toBe(at);
    expect(timeOf(hit("a", { t: String(at) }), "t")?.getTime()).toBe(at);
    expect(timeOf(hit("a", { t: "no" }), "t")).toBeUndefined();
  });
  it("are counted by value", () => {
    const hits = [hit("a", { m: "x" }), hit("b", { m: ["x", "y"] }), hit("c", {})];
    const [m] = fieldsOf([field("m", "text")]);
    if (!m) throw new Error("no field");
    expect(sampleTop(hits, m).map((one) => [one.value, one.count])).toEqual([
      ["x", 2],
      ["y", 1],
    ]);
    expect(valuesIn(hits, "m.keyword")).toEqual(["x", "y"]);
  });
});

describe("marks", () => {
  it("part a text", () => {
    const text = "a \ue000b\ue001 c\ue000d\ue001";
    expect(piecesOf(text)).toEqual([
      { text: "a ", marked: false },
      { text: "b", marked: true },
      { text: " c", marked: false },
      { text: "d", marked: true },
    ]);
    expect(plain(text)).toBe("a b cd");
    expect(piecesOf("")).toEqual([]);
  });
});

describe("surrounding lines", () => {
  const source = { "@timestamp": "2026-03-01T00:00:00Z", log: { offset: 5, file: { path: "/x" } } };
  it("know Filebeat's fields, and those of a table without them", () => {
    expect(linesOf(source, fields)).toEqual({ file: "log.file.path", position: "log.offset", host: "" });
    const own = fieldsOf([
      field("path", "text"),
      field("path.keyword", "keyword"),
      field("num", "long"),
      field("id", "keyword"),
    ]);
    expect(linesOf({ path: "/x", num: 1, id: "h" }, own)).toEqual({ file: "path", position: "num", host: "id" });
  });
  it("ask for the lines before, by time and then by place", () => {
    const lines = linesOf(source, fields);
    const body = aroundOf(hit("a", source), lines, "@timestamp", fields, true, 10);
    expect(body).toMatchObject({
      size: 10,
      sort: [{ "@timestamp": { order: "desc" } }, { "log.offset": { order: "desc" } }],
      search_after: ["2026-03-01T00:00:00Z", 5],
    });
    expect(aroundOf(hit("a", {}), lines, "", fields, true, 10)).toBeUndefined();
  });
});

describe("completion", () => {
  const names = (typed: string) =>
    complete(typed, typed.length, fields, () => ["a b", "info"]).items.map((one) => one.text);
  it("offers fields where a word begins", () => {
    expect(names("off")).toEqual(["log.offset:"]);
    expect(names("kworker ")[0]).toBe("AND ");
    expect(names("(mess")).toEqual(["message:"]);
    expect(complete("a -pa", 5, fields, () => [])).toMatchObject({ from: 3 });
  });
  it("offers values after a field, and nothing in a phrase", () => {
    expect(names("path:")).toEqual(['"a b"', "info"]);
    expect(names("path:in")).toEqual(["info"]);
    expect(names('message:"off')).toEqual([]);
  });
  it("quotes what is more than a word", () => {
    expect(quoted("/var/log")).toBe('"/var/log"');
    expect(quoted('say "x"')).toBe('"say \\"x\\""');
    expect(quoted("OR")).toBe('"OR"');
    expect(quoted("错误")).toBe("错误");
  });
});

describe("downloads", () => {
  const hits = [hit("a", { n: -5, t: 'say "x", y', f: "=1+1" }), hit("b", { n: 9007199254740993n, more: true })];
  it("are CSV that no spreadsheet takes for formulas", () => {
    const columns = columnsOf(hits);
    expect(columns).toEqual(["n", "t", "f", "more"]);
    expect(head(columns)).toBe("n,t,f,more\r\n");
    const lines = `-5,"say ""x"", y",'=1+1,\r\n9007199254740993,,,true\r\n`;
    expect(writeRows(hits, "csv", columns)).toBe(lines);
  });
  it("are whole documents in NDJSON", () => {
    const [, second] = writeRows(hits, "ndjson", []).split("\n");
    expect(second).toContain('"n":9007199254740993');
  });
});

describe("tail", () => {
  it("remembers what it has seen, within bounds", () => {
    const seen = new Seen(2);
    expect(["a", "b", "a", "c", "b"].map((id) => seen.add(id))).toEqual([true, true, false, true, false]);
  });
  it("puts late documents at their place", () => {
    const rows = newestFirst([hit("late", {}, [1]), hit("new", {}, [3]), hit("mid", {}, [2])], "t");
    expect(rows.map((one) => one._id)).toEqual(["new", "mid", "late"]);
  });
});

describe("errors of the store", () => {
  it("say why", () => {
    const text = JSON.stringify({
      error: { type: "x", reason: "all shards failed", root_cause: [{ reason: "Failed to parse query [(a]" }] },
      status: 400,
    });
    const error = failure(400, text);
    expect(error).toBeInstanceOf(ApiError);
    expect(error.code).toBe(Code.INVALID_ARGUMENT);
    expect(error.message).toBe("Failed to parse query [(a]");
    expect(failure(403, '{"code":7,"message":"no"}').code).toBe(Code.PERMISSION_DENIED);
  });
});

describe("words", () => {
  it("knows a query of several bare words", () => {
    expect(bareWords("order 264")).toEqual(["order", "264"]);
    for (const query of [
      "",
      "order",
      "order AND 264",
      '"order 264"',
      "level:ERROR x",
      "+a b",
      "a* b",
      "NOT a b",
      "(a b)",
    ]) {
      expect(bareWords(query), query).toBeUndefined();
    }
    expect(bareWords("well-known word")).toEqual(["well-known", "word"]);
  });

  it("asks for all of them", () => {
    expect(allOf(["order", "264"])).toEqual({ all: "order AND 264", phrase: '"order 264"' });
  });
});

describe("panelQuery", () => {
  it("writes filters into the query", () => {
    expect(panelQuery("a OR b", [])).toBe("a OR b");
    expect(
      panelQuery("a OR b", [
        { field: "log.file.path", op: "is", value: '/var/"x"' },
        { field: "n", op: "not", value: -1 },
        { field: "my field", op: "missing" },
        { field: "ok", op: "exists" },
      ]),
    ).toBe('(a OR b) AND log.file.path:"/var/\\"x\\"" AND NOT n:"-1" AND NOT _exists_:my\\ field AND _exists_:ok');
    expect(panelQuery("", [{ field: "n", op: "is", value: 3 }])).toBe("n:3");
  });
});

it("orders lines by when they were read, where @timestamp is what they say", () => {
  const known = fieldsOf([
    field("@timestamp", "date"),
    field("read_time", "date"),
    field("log.file.path", "keyword"),
    field("log.offset", "long"),
  ]);
  const lines = { file: "log.file.path", position: "log.offset", host: "" };
  const source = { "@timestamp": "2026-01-01T00:00:00Z", "log.file.path": "/a", "log.offset": 7 };
  const read = aroundOf(
    hit("a", { ...source, read_time: "2026-01-02T00:00:00Z" }),
    lines,
    "@timestamp",
    known,
    true,
    1,
  );
  expect(read).toMatchObject({ search_after: ["2026-01-02T00:00:00Z", 7], sort: [{ read_time: {} }, {}] });
  expect(aroundOf(hit("a", source), lines, "@timestamp", known, true, 1)).toMatchObject({
    search_after: ["2026-01-01T00:00:00Z", 7],
  });
});

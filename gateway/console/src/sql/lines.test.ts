import { describe, expect, it } from "vitest";
import { computed, lineTime, lineTimeSql, matchesOf, partSql, partsOf } from "./lines";

const ORDERS = [
  "2026-11-28T11:00:00Z INFO order 264 paid in 12 ms user=ann items=3",
  "2026-11-28T11:00:01Z WARN order 265 paid in 812 ms user=bob items=1",
  "2026-11-28T11:00:02Z INFO order 266 paid in 99 ms user=cy items=2",
  "2026-11-28T11:00:03Z ERROR order 267 paid in 7 ms user=ann items=9",
  "2026-11-28T11:00:04Z INFO order 268 paid in 15 ms user=bob items=4",
];

describe("lineTime", () => {
  it("knows the ways that times in front are written", () => {
    const of = (text: string) => lineTime([text, text, text]);
    expect(of("2026-11-28T11:00:00Z x")).toEqual({ separator: "T", zone: "colon", millis: false, comma: false });
    expect(of("[2026-11-28T11:00:00.123456+0800] x")).toMatchObject({ zone: "plain", millis: true });
    expect(of("2026-11-28 11:00:00,123 x")).toEqual({ separator: " ", zone: "none", millis: true, comma: true });
    expect(of("2026-11-28 11:00:00.5 x")).toMatchObject({ millis: false });
    expect(of("2026-13-28 11:00:00 x")).toBeUndefined();
    expect(of("at 2026-11-28 11:00:00")).toBeUndefined();
    expect(of("")).toBeUndefined();
  });

  it("takes four of five lines, not fewer", () => {
    const [a = "", b = "", c = "", d = ""] = ORDERS;
    expect(lineTime([a, b, c, d, "  at Main.java:12"])).toBeDefined();
    expect(lineTime([a, b, c, "  at x", "  at y"])).toBeUndefined();
    expect(lineTime([a, b])).toBeUndefined();
  });

  it("reads a time with its zone, or as one of the job's zone, and never gives null", () => {
    const [iso, plain] = [
      lineTime(ORDERS),
      lineTime(ORDERS.map((line) => line.replace("T", " ").replace("Z", ",120"))),
    ];
    expect(iso && lineTimeSql(iso, "message", "`@timestamp`")).toBe(
      "COALESCE(TO_TIMESTAMP_LTZ(UNIX_TIMESTAMP(REGEXP_EXTRACT(message, '^\\[?(\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}:\\d{2}(?:[.,]\\d+)?(?:Z|[+-]\\d{2}:\\d{2}))', 1), 'yyyy-MM-dd''T''HH:mm:ssXXX') * 1000, 3), `@timestamp`)",
    );
    expect(plain && lineTimeSql(plain, "message", "record_time")).toBe(
      "COALESCE(TRY_CAST(REPLACE(REGEXP_EXTRACT(message, '^\\[?(\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}:\\d{2}[.,]\\d{3})', 1), ',', '.') AS TIMESTAMP_LTZ(3)), record_time)",
    );
  });
});

describe("partsOf", () => {
  const named = (lines: string[]) => Object.fromEntries(partsOf(lines).map((part) => [part.name, part.type]));

  it("finds level, pairs, numbers with a unit and numbers with a name", () => {
    expect(named(ORDERS)).toEqual({
      level: "STRING",
      user_name: "STRING",
      items: "BIGINT",
      duration_ms: "BIGINT",
      order_id: "BIGINT",
    });
  });

  it("offers patterns that match what they were made of", () => {
    const values = partsOf(ORDERS).map((part) => [part.name, matchesOf(part.pattern, ORDERS)?.example]);
    expect(values).toEqual([
      ["level", "INFO"],
      ["user_name", "ann"],
      ["items", "3"],
      ["duration_ms", "12"],
      ["order_id", "264"],
    ]);
    for (const part of partsOf(ORDERS)) expect(matchesOf(part.pattern, ORDERS)?.count).toBe(5);
  });

  it("offers nothing that fewer than four of five lines have", () => {
    expect(partsOf(["INFO a=1", "INFO b=2", "c", "d", "e"])).toEqual([]);
    expect(partsOf(["a=1", "a=2"])).toEqual([]);
  });

  it("tells texts, whole numbers, fractions and measures of pairs apart", () => {
    const lines = (value: (i: number) => string) => [1, 2, 3].map((i) => `x k=${value(i)}`);
    expect(named(lines((i) => `${i}`))).toEqual({ k: "BIGINT" });
    expect(named(lines((i) => `${i}.5`))).toEqual({ k: "DOUBLE" });
    expect(named(lines((i) => `${i}ms`))).toEqual({ k_ms: "BIGINT" });
    expect(named(lines((i) => `"a b ${i}"`))).toEqual({ k: "STRING" });
    expect(named(lines((i) => (i === 1 ? `"a b"` : "c")))).toEqual({ k: "STRING" });
  });

  it("leaves alone what is ambiguous, always the same, or no number", () => {
    expect(named([1, 2, 3].map((i) => `from ${i} ms to ${i + 1} ms`))).toEqual({});
    expect(named([1, 2, 3, 4, 5].map(() => "port 80 open"))).toEqual({});
    expect(named([1, 2, 3].map((i) => `peer 10.0.0.${i} at 12:00:0${i}`))).toEqual({});
  });

  it("gives other names to what is taken", () => {
    expect(partsOf(ORDERS, ["level"])[0]?.name).toBe("line_level");
  });
});

describe("matchesOf", () => {
  it("wants a pattern with a group", () => {
    expect(matchesOf("a(b", ["ab"])).toBeUndefined();
    expect(matchesOf("ab", ["ab"])).toBeUndefined();
    expect(matchesOf("a(b)", ["ab", "c"])).toEqual({ count: 1, example: "b" });
  });
});

it("writes columns of parts", () => {
  const part = { name: "n", pattern: "it's (\\d+)", type: "BIGINT" } as const;
  expect(partSql(part, "message")).toBe("TRY_CAST(REGEXP_EXTRACT(message, 'it''s (\\d+)', 1) AS BIGINT)");
  expect(computed([part, { ...part, name: " " }], "message")).toHaveLength(1);
});

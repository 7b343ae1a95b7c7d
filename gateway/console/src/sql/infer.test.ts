import { describe, expect, it } from "vitest";
import { inferTable } from "./infer";

const infer = (...messages: unknown[]) =>
  inferTable(
    messages.map((m) => (typeof m === "string" ? m : JSON.stringify(m))),
    { topic: "topic-app-info", brokers: "kafka:9092" },
  );

/** columnsOf are the lines between the brackets of CREATE TABLE. */
function columnsOf(sql: string): string[] {
  return sql
    .slice(sql.indexOf("(\n") + 2, sql.indexOf("\n) WITH"))
    .split(",\n")
    .map((line) => line.trim());
}

describe("inferTable", () => {
  it("names the table after the topic and reads it with Kafka", () => {
    const { sql, table, used } = infer({ a: 1 });
    expect(table).toBe("topic_app_info");
    expect(used).toBe(1);
    expect(sql).toContain("'topic' = 'topic-app-info'");
    expect(sql).toContain("'properties.bootstrap.servers' = 'kafka:9092'");
  });

  it("takes types from all messages", () => {
    const { sql } = infer(
      { flag: true, n: 1, f: 1, s: "x", nil: null, mixed: 1 },
      { flag: false, n: 2, f: 1.5, s: "y", nil: null, mixed: "one" },
    );
    expect(columnsOf(sql).slice(0, 6)).toEqual([
      "flag BOOLEAN",
      "n BIGINT",
      "f DOUBLE",
      "s STRING",
      "nil STRING",
      "mixed STRING",
    ]);
  });

  it("nests rows and arrays, and joins what different messages have", () => {
    const { sql } = infer(
      { host: { ip: ["a"], os: { name: "x" } }, points: [{ x: 1 }, { y: 2.5 }] },
      { host: { id: "h" }, points: [] },
    );
    expect(columnsOf(sql)[0]).toBe("host ROW<ip ARRAY<STRING>, os ROW<name STRING>, id STRING>");
    expect(columnsOf(sql)[1]).toBe("points ARRAY<ROW<x BIGINT, y DOUBLE>>");
  });

  it("quotes names that need it", () => {
    const { sql, columns } = infer({ "@timestamp": "x", offset: 1, "a`b": 1, "log.level": "e", ok_1: 1 });
    expect(columns).toEqual(["`@timestamp`", "`offset`", "`a``b`", "`log.level`", "ok_1"]);
    expect(columnsOf(sql)[2]).toBe("`a``b` BIGINT");
  });

  it("reads times as ISO 8601 writes them, and puts the watermark on the first", () => {
    const { sql } = infer({ "@timestamp": "2026-03-01T12:00:00.123Z", at: "2026-03-01T12:00:00", day: "2026-03-01" });
    expect(columnsOf(sql)).toEqual([
      "`@timestamp` TIMESTAMP_LTZ(3)",
      "`at` TIMESTAMP(3)",
      "`day` DATE",
      "WATERMARK FOR `@timestamp` AS `@timestamp` - INTERVAL '5' SECOND",
    ]);
    expect(sql).toContain("'json.timestamp-format.standard' = 'ISO-8601'");
  });

  it("reads times as SQL writes them, without an option", () => {
    const { sql } = infer({ ts: "2026-03-01 12:00:00.5" });
    expect(columnsOf(sql)[0]).toBe("ts TIMESTAMP(3)");
    expect(sql).not.toContain("timestamp-format");
  });

  it("leaves texts that are not always times as texts", () => {
    const { sql } = infer(
      {
        a: "2026-03-01T12:00:00Z",
        b: "2026-03-01T12:00:00+08:00",
        c: "2026-13-41T12:00:00Z",
        d: "2026-03-01T12:00:00Z",
      },
      { a: "soon", b: "2026-03-01T12:00:00+08:00", c: "2026-13-41T12:00:00Z", d: "2026-03-01 12:00:00" },
    );
    expect(columnsOf(sql).slice(0, 4)).toEqual(["a STRING", "b STRING", "c STRING", "d STRING"]);
  });

  it("takes the record's time where no field is one", () => {
    const { sql } = infer({ message: "x" });
    expect(columnsOf(sql).slice(1)).toEqual([
      "record_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'",
      "WATERMARK FOR record_time AS record_time - INTERVAL '5' SECOND",
    ]);
  });

  it("finds times inside rows, but no watermark there", () => {
    const { sql } = infer({ event: { at: "2026-03-01T12:00:00Z" } });
    expect(columnsOf(sql)[0]).toBe("event ROW<`at` TIMESTAMP_LTZ(3)>");
    expect(sql).toContain("WATERMARK FOR record_time");
    expect(sql).toContain("'json.timestamp-format.standard' = 'ISO-8601'");
  });

  it("leaves out what is no object, and says so", () => {
    const { used, skipped } = infer({ a: 1 }, "not json", "[1]", "null");
    expect([used, skipped]).toEqual([1, 3]);
  });

  it("reads topics without JSON as texts", () => {
    const { sql, columns, skipped } = infer("one", "two");
    expect(columns).toEqual(["message"]);
    expect(skipped).toBe(2);
    expect(sql).toContain("'format' = 'raw'");
  });

  it("keeps empty objects as text", () => {
    expect(columnsOf(infer({ meta: {} }).sql)[0]).toBe("meta STRING");
  });

  it("quotes texts in the options", () => {
    expect(inferTable(["{}"], { topic: "it's" }).sql).toContain("'topic' = 'it''s'");
  });
});

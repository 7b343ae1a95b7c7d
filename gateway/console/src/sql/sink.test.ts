import { describe, expect, it } from "vitest";
import { indexName, rowsOf, writeTo } from "./sink";
import { linesOf, starter } from "./starter";
import { maskedOptions, placed } from "./statements";

const PLACES = { brokers: "kafka:9092", searchUrl: "http://store:9200" };
const event = (i: number, message: string) =>
  JSON.stringify({
    "@timestamp": `2026-11-28T11:00:0${i}.123Z`,
    "@metadata": { beat: "filebeat" },
    log: { offset: i * 10, file: { path: "/var/log/a.log" } },
    message,
    host: { name: "vm", ip: ["::1"] },
    fields: { team: "shop" },
  });
const LINES = [1, 2, 3].map((i) => event(i, `2026-11-28T11:00:00Z INFO order ${i} done`));

/** insertOf is the INSERT of a script, in one line. */
const insertOf = (sql: string) => sql.slice(sql.indexOf("INSERT")).replace(/\s+/g, " ").trim();

describe("starter", () => {
  const none = { time: undefined, parts: [] };

  it("writes a whole job: table, target, INSERT", () => {
    const { inferred, rest } = starter(LINES, "Shop-Orders", none, PLACES);
    expect(inferred.sql).toContain("'scan.startup.mode' = 'earliest-offset'");
    expect(rest).toBe(`CREATE TABLE Shop_Orders_out (
  \`@timestamp\` TIMESTAMP_LTZ(3),
  message STRING,
  \`log.file.path\` STRING,
  \`log.offset\` BIGINT,
  \`host.name\` STRING,
  fields ROW<team STRING>
) WITH (
  'connector' = 'elasticsearch-7',
  'hosts' = 'http://store:9200',
  'index' = 'shop-orders',
  'json.timestamp-format.standard' = 'ISO-8601'
);

INSERT INTO Shop_Orders_out
SELECT
  \`@timestamp\`,
  message,
  log.file.path,
  log.\`offset\`,
  host.name,
  fields
FROM Shop_Orders;
`);
  });

  it("takes the time that lines say, and their parts", () => {
    const lines = linesOf(LINES);
    const { inferred, rest } = starter(LINES, "t", { time: lines?.time, parts: lines?.parts ?? [] }, PLACES);
    expect(inferred.time).toBe("line_time");
    expect(inferred.sql).toContain("WATERMARK FOR line_time AS line_time - INTERVAL '5' SECOND");
    expect(inferred.sql).toContain("level AS REGEXP_EXTRACT(message, ");
    expect(insertOf(rest)).toBe(
      "INSERT INTO t_out SELECT line_time, message, log.file.path, log.`offset`, host.name, level, order_id, fields, `@timestamp` FROM t;",
    );
    expect(rest).toContain("  read_time TIMESTAMP_LTZ(3)");
  });

  it("keeps the columns of messages that are no lines", () => {
    const { rest } = starter([`{"id":1,"at":"2026-11-28T11:00:00Z","v":{"x":1}}`], "t", none, PLACES);
    expect(insertOf(rest)).toBe("INSERT INTO t_out SELECT `at`, id, v FROM t;");
  });

  it("takes messages that are no JSON as lines", () => {
    const raw = ["2026-11-28 11:00:00 a", "2026-11-28 11:00:01 b", "2026-11-28 11:00:02 c"];
    const { inferred, rest } = starter(raw, "t", { time: linesOf(raw)?.time, parts: [] }, PLACES);
    expect(inferred.sql).toContain("AS TIMESTAMP_LTZ(3)), record_time)");
    expect(insertOf(rest)).toBe("INSERT INTO t_out SELECT line_time, message, record_time FROM t;");
    expect(rest).toContain("`@timestamp` TIMESTAMP_LTZ(3)");
  });
});

describe("writeTo", () => {
  const table = "CREATE TABLE app (message STRING) WITH ('connector' = 'kafka', 'topic' = 'App-Info');";
  const columns = [
    { name: "message", type: "STRING" },
    { name: "EXPR$1", type: "BIGINT NOT NULL" },
    { name: "seen", type: "TIMESTAMP_LTZ(3) *ROWTIME*" },
  ];
  const script = `${table}\n\n-- what it keeps\nSELECT message, 1, seen FROM app;\n`;

  it("puts the target in place of the SELECT that stands alone", () => {
    const sql = writeTo(script, "index", columns, PLACES);
    expect(sql).toBe(`${table}

-- what it keeps
CREATE TABLE app_out (
  message STRING,
  column_2 BIGINT,
  seen TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'elasticsearch-7',
  'hosts' = 'http://store:9200',
  'index' = 'app-info',
  'json.timestamp-format.standard' = 'ISO-8601'
);

INSERT INTO app_out
SELECT message, 1, seen FROM app;
`);
  });

  it("takes all of the first table where there is no query", () => {
    expect(rowsOf(table)?.catalog).toContain("CREATE VIEW weirflow_rows AS\nSELECT * FROM app;");
    expect(writeTo(table, "topic", columns.slice(0, 1), PLACES)).toContain(
      "'topic' = 'App-Info-out',\n  'properties.bootstrap.servers' = 'kafka:9092'",
    );
    expect(rowsOf("-- nothing")).toBeUndefined();
    expect(writeTo("", "index", [], PLACES)).toBe("");
  });

  it("writes the rows of an INSERT to another target, too", () => {
    const first = writeTo(script, "index", columns, PLACES);
    const second = writeTo(first, "topic", columns, PLACES);
    expect(second.startsWith(first.trimEnd())).toBe(true);
    expect(second).toContain("INSERT INTO app_out_2\nSELECT message, 1, seen FROM app;");
    expect(rowsOf(first)?.catalog).not.toContain("INSERT");
  });

  it("takes a SELECT that stands alone rather than one that is written already", () => {
    const sql = `${table}\nSELECT 1 AS a FROM app;\nINSERT INTO x SELECT message FROM app;\n`;
    expect(rowsOf(sql)?.sql).toBe("SELECT 1 AS a FROM app");
    const written = writeTo(sql, "index", [{ name: "a", type: "INT NOT NULL" }], PLACES);
    expect(written).toContain("INSERT INTO app_out\nSELECT 1 AS a FROM app;\n\nINSERT INTO x SELECT");
  });

  it("raises alerts of lines with errors", () => {
    expect(insertOf(writeTo(script, "alert", columns, PLACES))).toBe(
      "INSERT INTO app_alert SELECT message, 'warning' FROM ( SELECT message, 1, seen FROM app ) AS found WHERE message LIKE '%ERROR%';",
    );
    const numbers = writeTo(script, "alert", [{ name: "n", type: "BIGINT" }], PLACES);
    expect(insertOf(numbers)).toContain("SELECT CAST(n AS STRING), 'warning'");
  });
});

it("makes names that an index may have", () => {
  expect(indexName("_Topic App/Info")).toBe("topic-app-info");
  expect(indexName("日志")).toBe("documents");
});

it("finds secrets that are not shown, but not in comments", () => {
  const script = "-- 'password' = '******'\nWITH (\n  'connector.password' = '******', 'a' = '*****')";
  expect(maskedOptions(script)).toEqual([{ line: 3, column: 26, name: "connector.password" }]);
});

it("takes the place off an error", () => {
  expect(placed("line 13, column 135: option 'x'\nis masked")).toEqual({
    line: 13,
    column: 135,
    message: "option 'x'\nis masked",
  });
  expect(placed("no such job")).toBeUndefined();
});

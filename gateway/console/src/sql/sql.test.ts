import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Catalog, choicesAt, rowFields } from "./complete";
import { quoteName } from "./names";
import { RESERVED } from "./reserved";
import { bareQueries, previewScript, splitStatements, writes } from "./statements";

describe("reserved words", () => {
  it("are those of the SQL engine", () => {
    const file = new URL("../../../../services/transform/internal/sql/token/reserved.go", import.meta.url);
    const words = /const reservedWords = `([^`]*)`/.exec(readFileSync(file, "utf8"))?.[1] ?? "";
    expect([...RESERVED].sort()).toEqual(words.trim().split(/\s+/).sort());
  });

  it("are quoted, in upper and lower case", () => {
    expect([quoteName("offset"), quoteName("OFFSET"), quoteName("path"), quoteName("1a")]).toEqual([
      "`offset`",
      "`OFFSET`",
      "path",
      "`1a`",
    ]);
  });
});

describe("splitStatements", () => {
  it.each([
    ["SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]],
    ["SELECT ';'; SELECT 2;", ["SELECT ';'", "SELECT 2"]],
    ["SELECT 'it''s; so' ; ", ["SELECT 'it''s; so'"]],
    ["SELECT `a;b`; -- c; d\nSELECT 2", ["SELECT `a;b`", "-- c; d\nSELECT 2"]],
    ["/* a; b */ SELECT 1;", ["/* a; b */ SELECT 1"]],
    ["-- only a comment;", []],
    ["SELECT 'open", ["SELECT 'open"]],
  ])("%s", (script, texts) => expect(splitStatements(script).map((s) => s.text)).toEqual(texts));
});

describe("previewScript", () => {
  const tables =
    "CREATE TABLE a (x INT) WITH ('connector' = 'datagen');\nCREATE TABLE o (x INT) WITH ('connector' = 'print');";
  const squeeze = (text: string | undefined) => text?.replace(/\s+/g, " ").trim();

  it("runs the last query with the definitions before it", () => {
    expect(squeeze(previewScript(`${tables}\nSELECT 1;\nSELECT x FROM a;\nSET 'a' = 'b';`))).toBe(
      squeeze(`${tables} SELECT x FROM a;`),
    );
  });

  it.each([
    ["INSERT INTO o SELECT x FROM a", "SELECT x FROM a;"],
    ["INSERT INTO o (x) SELECT x FROM a", "SELECT x FROM a;"],
    ["INSERT INTO `select` SELECT 'select' FROM a", "SELECT 'select' FROM a;"],
    [
      "-- why; so\nINSERT INTO o\nWITH w AS (SELECT 1 AS x) SELECT x FROM w",
      "WITH w AS (SELECT 1 AS x) SELECT x FROM w;",
    ],
    ["EXECUTE STATEMENT SET BEGIN\nINSERT INTO o SELECT x FROM a;\nEND", "SELECT x FROM a;"],
    ["EXPLAIN CHANGELOG_MODE SELECT x FROM a", "SELECT x FROM a;"],
  ])("takes the query out of %s", (statement, query) => {
    expect(squeeze(previewScript(`${tables}\n${statement};`))).toBe(squeeze(`${tables} ${query}`));
  });

  it("keeps everything where it stands, so that the places in errors are right", () => {
    const script = `${tables}\n/* 日志 😀 */ INSERT INTO o\n  SELECT y FROM a;`;
    const run = previewScript(script) ?? "";
    expect(run.split("\n").map((line) => line.length)).toHaveLength(4);
    expect(run.split("\n")[3]).toBe("  SELECT y FROM a;");
  });

  it("prefers what is selected", () => {
    const script = `${tables}\nSELECT 1;\nSELECT 2;`;
    const from = script.indexOf("SELECT 1");
    expect(squeeze(previewScript(script, { from, to: from + 8 }))).toBe(squeeze(`${tables} SELECT 1;`));
  });

  it("is none without a query", () => {
    expect(previewScript(tables)).toBeUndefined();
    expect(previewScript(`${tables} SELECT 1;`, { from: 0, to: 10 })).toBeUndefined();
  });
});

describe("writes", () => {
  it("sees INSERT behind comments and in statement sets", () => {
    expect(writes("SELECT 1;")).toBe(false);
    expect(writes("SELECT 'INSERT INTO x';")).toBe(false);
    expect(writes("-- a\nINSERT INTO x SELECT 1;")).toBe(true);
    expect(writes("EXECUTE STATEMENT SET BEGIN INSERT INTO x SELECT 1; END;")).toBe(true);
  });
});

describe("bareQueries", () => {
  it("finds queries behind spaces and comments", () => {
    expect(bareQueries("CREATE TABLE a (x INT);\n-- look\n  SELECT 1; INSERT INTO a SELECT 2;\nVALUES (1)")).toEqual([
      { line: 3, column: 3 },
      { line: 4, column: 1 },
    ]);
  });
});

describe("choicesAt", () => {
  const catalog: Catalog = {
    tables: [
      {
        name: "lines",
        view: false,
        columns: [
          { name: "@timestamp", type: "STRING" },
          { name: "log", type: "ROW<`offset` BIGINT, file ROW<path STRING, size DECIMAL(10, 2)>>" },
        ],
      },
      { name: "users", view: true, columns: [{ name: "id", type: "BIGINT" }] },
    ],
    functions: [{ name: "UPPER", kind: "scalar" }],
    keywords: ["SELECT", "FROM"],
    connectors: [
      { name: "kafka", options: ["topic", "format"] },
      { name: "print", options: ["print-identifier"] },
    ],
  };
  /** at puts the place where | stands. */
  const at = (marked: string) => {
    const place = marked.indexOf("|");
    const found = choicesAt(marked.replace("|", ""), place, catalog);
    return found && { from: found.from, labels: found.choices.sort((a, b) => b.boost - a.boost).map((c) => c.label) };
  };

  it("offers columns of the statement's tables first", () => {
    expect(at("SELECT | FROM lines")?.labels.slice(0, 2)).toEqual(["@timestamp", "log"]);
  });
  it("offers tables after FROM and INTO", () => {
    expect(at("SELECT * FROM li|")?.labels.slice(0, 2)).toEqual(["lines", "users"]);
    expect(at("INSERT INTO |")?.labels[0]).toBe("lines");
  });
  it("offers columns behind a table or alias", () => {
    expect(at("SELECT u.| FROM users AS u")?.labels).toEqual(["id"]);
    expect(at("SELECT lines.| FROM lines")?.labels).toEqual(["@timestamp", "log"]);
  });
  it("goes down rows", () => {
    expect(at("SELECT log.file.| FROM lines")?.labels).toEqual(["path", "size"]);
    expect(at("SELECT l.`log`.| FROM lines l")?.labels).toEqual(["offset", "file"]);
  });
  it("offers connectors and their options in WITH", () => {
    expect(at("CREATE TABLE t (a INT) WITH ('connector' = '|")?.labels).toEqual(["kafka", "print"]);
    expect(at("CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'to|")?.labels).toEqual(["topic", "format"]);
    expect(at("CREATE TABLE t (a INT) WITH ('connector' = 'kafka', 'topic' = 'x', '|")?.labels).toEqual(["format"]);
    expect(at("CREATE TABLE t (a INT) WITH ('|")?.labels[0]).toBe("connector");
  });
  it("offers nothing in texts and comments", () => {
    expect(at("SELECT 'a|")).toBeUndefined();
    expect(at("-- about |")).toBeUndefined();
    expect(at("CREATE TABLE t (a INT) WITH ('topic' = '|")).toBeUndefined();
  });
  it("replaces the word that is being typed", () => {
    expect(at("SELECT UPP|")?.from).toBe(7);
  });
});

describe("rowFields", () => {
  it("splits at the commas of the row itself", () => {
    expect(rowFields("ROW<a INT, `b c` MAP<STRING, INT>, d DECIMAL(10, 2)> NOT NULL")).toEqual([
      { name: "a", type: "INT" },
      { name: "b c", type: "MAP<STRING, INT>" },
      { name: "d", type: "DECIMAL(10, 2)" },
    ]);
    expect(rowFields("STRING")).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { draftOfLines, fieldsOf, linesOfQuery, linesOfUrl, newPolicyHref, topicOfIndex } from "./from-lines";
import { problemsOf } from "./policy";

describe("linesOfQuery", () => {
  it.each([
    ["timeout", "", "timeout"],
    ['"connection refused"', "", "connection refused"],
    ["level:ERROR", "level", "ERROR"],
    ['log.level:"ERROR"', "log.level", "ERROR"],
    ['message:"he said \\"no\\""', "message", 'he said "no"'],
    ["/var/log/app.log", "", ""],
    ["  GET  ", "", "GET"],
    ["user-42", "", "user-42"],
  ])("takes the text of %s", (query, field, contains) => {
    expect(linesOfQuery(query)).toEqual({ field, contains });
  });
  it.each([
    "",
    "a b",
    "a AND b",
    "NOT a",
    "NOT",
    "-a",
    "time*",
    "n:>5",
    "n:[1 TO 2]",
    "(a)",
    '"a" AND b:"c"',
    "/a+b/",
    "_exists_:x AND y",
  ])("leaves %s to whoever writes the policy", (query) => {
    expect(linesOfQuery(query)).toEqual({ field: "", contains: "" });
  });
});

describe("topicOfIndex", () => {
  const job = (target: string, ...topics: string[]) => ({
    status: { outputs: [{ connector: "elasticsearch-7", target }], sources: topics.map((topic) => ({ topic })) },
  });
  it("is the topic of the job that writes the index", () => {
    expect(topicOfIndex("logs", [job("other", "a"), job("logs", "b", "b")])).toBe("b");
    expect(topicOfIndex("logs-2026", [job("logs-{ts|yyyy}", "b")])).toBe("b");
  });
  it("is not known when there are several, or none", () => {
    expect(topicOfIndex("logs", [job("logs", "a", "b")])).toBe("");
    expect(topicOfIndex("logs", [job("logs", "a"), job("logs", "b")])).toBe("");
    expect(topicOfIndex("logs", [job("{name}", "a")])).toBe("");
    expect(
      topicOfIndex("logs", [
        { status: { outputs: [{ connector: "kafka", target: "logs" }], sources: [{ topic: "a" }] } },
        {},
      ]),
    ).toBe("");
  });
});

it("a form is opened for the lines that the link names", () => {
  const lines = { topic: "topic-app", field: "level", contains: "a&b=c" };
  const url = new URL(newPolicyHref(lines), "http://localhost");
  expect(linesOfUrl(url.searchParams)).toEqual(lines);
  const draft = draftOfLines(lines);
  expect(draft).toMatchObject({ kind: "logPattern", topic: "topic-app", field: "level", pattern: "a&b=c" });
  expect(problemsOf({ ...draft, name: "p" })).toEqual({});
  expect(linesOfUrl(new URLSearchParams("topic=x"))).toBeUndefined();
});

it("fields are those of the messages, the usual ones first", () => {
  expect(
    fieldsOf([
      '{"message":"a","host":{"name":"h","ip":["1"]}}',
      '{"message":"b","host":{"name":"h"}}',
      "no json",
      "[1]",
      "null",
    ]),
  ).toEqual(["host.name", "message", "host.ip"]);
  expect(fieldsOf([])).toEqual([]);
});

import { describe, expect, it } from "vitest";
import { at, decode, jsonOf, messageOf, PathList } from "./message";
import { queryOf } from "./place";

describe("messageOf", () => {
  it("decodes keys and headers, and keeps bytes that are no text", () => {
    const m = messageOf({
      partition: 2,
      offset: "17",
      key: btoa("k1"),
      text: '{"a":{"b":[1]}}',
      headers: [
        { key: "event-id", value: btoa("x:1") },
        { key: "raw", value: "/w==" },
      ],
      size: "15",
    });
    expect([m.id, m.key, m.headers[0]?.value, m.headers[1]?.value]).toEqual(["2-17", "k1", "x:1", "/w=="]);
    expect(at(jsonOf(m), ["a", "b", 0])).toBe(1);
    expect(at(jsonOf(m), ["a", "c", 0])).toBeUndefined();
  });
  it("knows binary values and tombstones", () => {
    expect(messageOf({ binary: "/w==" })).toMatchObject({ text: undefined, binary: "/w==" });
    expect(messageOf({ text: "", binary: "" })).toMatchObject({ text: undefined, binary: undefined });
  });
  it("does not parse what is cut", () => {
    expect(jsonOf(messageOf({ text: "123", truncated: true }))).toBeUndefined();
  });
  it("decodes UTF-8", () => expect(decode("5pel5b+X")).toBe("日志"));
});

describe("queryOf", () => {
  const place = {
    partition: "",
    from: "last",
    last: "200",
    offset: "5",
    time: "2026-03-01T10:00:00Z",
    contains: "",
  } as const;
  it.each([
    [{ ...place }, { "start.last": "200" }],
    [{ ...place, from: "earliest", contains: "x" } as const, { "start.earliest": true, contains: "x" }],
    [{ ...place, from: "offset", partition: "1" } as const, { "start.offset": "5", partition: 1 }],
    [{ ...place, from: "offset" } as const, "offset-needs-partition"],
    [{ ...place, from: "time" } as const, { "start.timestamp": "2026-03-01T10:00:00.000Z" }],
    [{ ...place, from: "time", time: "soon" } as const, "no-time"],
  ])("%j", (given, query) => expect(queryOf(given)).toEqual(query));
});

describe("PathList", () => {
  it("reads what it wrote, and nothing from nonsense", () => {
    expect(PathList.read(PathList.write([["a", 0], ["b"]]))).toEqual([["a", 0], ["b"]]);
    expect(PathList.read("{")).toEqual([]);
    expect(PathList.read('"x"')).toEqual([]);
  });
});

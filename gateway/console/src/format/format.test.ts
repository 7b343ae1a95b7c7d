import { describe, expect, it } from "vitest";
import { parseJson, writeJson } from "./json";
import { bytes, compact, percent, rate, whole } from "./numbers";
import { absolute, ago, duration } from "./times";

describe("numbers", () => {
  it.each([
    [0, "0"],
    [7, "7"],
    [7.25, "7.3"],
    [999, "999"],
    [1000, "1.0 k"],
    [12_400, "12.4 k"],
    [99_949, "99.9 k"],
    [124_000, "124 k"],
    [999_499, "999 k"],
    [999_999, "1.0 M"],
    [5_000_000_000, "5.0 G"],
    [-12_400, "-12.4 k"],
    [Number.NaN, "–"],
  ])("compact(%d) is %s", (value, text) => expect(compact(value)).toBe(text));

  it.each([
    [0, "0/s"],
    [0.04, "<0.1/s"],
    [0.25, "0.3/s"],
    [12_400, "12.4 k/s"],
  ])("rate(%d) is %s", (value, text) => expect(rate(value)).toBe(text));

  it.each([
    [0, "0"],
    [1203, "1,203"],
    [12_044_000, "12,044,000"],
    [-1203, "-1,203"],
  ])("whole(%d) is %s", (value, text) => expect(whole(value)).toBe(text));

  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1_572_864, "1.5 MiB"],
    [1_048_575, "1.0 MiB"],
    [123 * 1024 ** 3, "123 GiB"],
  ])("bytes(%d) is %s", (value, text) => expect(bytes(value)).toBe(text));

  it("percent keeps a digit of small shares", () => {
    expect([percent(0), percent(0.005), percent(0.5), percent(1)]).toEqual(["0 %", "0.5 %", "50 %", "100 %"]);
  });
});

describe("times", () => {
  it.each([
    [340, "340 ms", "340 毫秒"],
    [4000, "4 s", "4 秒"],
    [4200, "4.2 s", "4.2 秒"],
    [59_999, "59 s", "59 秒"],
    [65_000, "1 min 5 s", "1 分 5 秒"],
    [3_600_000, "1 h", "1 小时"],
    [7_500_000, "2 h 5 min", "2 小时 5 分"],
    [273_600_000, "3 d 4 h", "3 天 4 小时"],
  ])("duration(%d)", (ms, en, zh) => {
    expect(duration(ms)).toBe(en);
    expect(duration(ms, "zh")).toBe(zh);
  });

  it("ago looks back and ahead", () => {
    const at = new Date("2026-03-01T12:00:00Z");
    expect(ago(at, at.getTime() + 400)).toBe("just now");
    expect(ago(at, at.getTime() + 4900)).toBe("4 s ago");
    expect(ago(at, at.getTime() - 60_000)).toBe("in 1 min");
    expect(ago(at, at.getTime() + 60_000, "zh")).toBe("1 分前");
  });

  it("absolute is in the browser's zone", () => {
    expect(absolute(new Date(2026, 2, 1, 9, 4, 5, 7))).toBe("2026-03-01 09:04:05.007");
    expect(absolute(new Date(2026, 2, 1, 9, 4, 5, 7), false)).toBe("2026-03-01 09:04:05");
  });
});

describe("json", () => {
  it("gives undefined for what is no JSON", () => {
    expect(parseJson("plain text")).toBeUndefined();
    expect(parseJson('{"a":')).toBeUndefined();
    expect(parseJson("")).toBeUndefined();
  });

  it("writes whole numbers of any size", () => {
    expect(writeJson({ a: 9007199254740993n, b: [1, "x", null] })).toBe('{"a":9007199254740993,"b":[1,"x",null]}');
    expect(writeJson({ a: 1n }, 2)).toBe('{\n  "a": 1\n}');
    expect(writeJson({ a: [] })).toBe('{"a":[]}');
  });
});

import { describe, expect, it } from "vitest";
import { quickOf, resolve } from "./range";

describe("resolve", () => {
  const now = new Date("2026-03-01T12:00:00Z");
  it.each([
    ["now", "2026-03-01T12:00:00.000Z"],
    ["now-15m", "2026-03-01T11:45:00.000Z"],
    ["now-2d", "2026-02-27T12:00:00.000Z"],
    ["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"],
    ["1772359200000", "2026-03-01T10:00:00.000Z"],
  ])("%s", (end, iso) => expect(resolve(end, now)?.toISOString()).toBe(iso));
  it.each(["", "later", "now-15x", "now+5m"])("refuses %s", (end) => expect(resolve(end, now)).toBeUndefined());
});

describe("quickOf", () => {
  it("names ranges that end now", () => {
    expect(quickOf({ from: "now-15m", to: "now" })).toBe("15m");
    expect(quickOf({ from: "now-15m", to: "now-5m" })).toBeUndefined();
    expect(quickOf({ from: "2026-03-01T10:00:00Z", to: "now" })).toBeUndefined();
  });
});

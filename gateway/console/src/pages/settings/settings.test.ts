import { describe, expect, it } from "vitest";
import { makePassword, passwordProblem, safeNext } from "./next";

const origin = "https://weirflow.example.com";

describe("where a login leads", () => {
  it.each([
    ["/alerts?fingerprint=1#x", "/alerts?fingerprint=1#x"],
    ["/search?q=a%26b", "/search?q=a%26b"],
    ["/login?next=/x", "/flow"],
    ["//evil.example", "/flow"],
    ["/\\evil.example", "/flow"],
    ["/.//evil.example", "/flow"],
    ["https://evil.example", "/flow"],
    ["javascript:alert(1)", "/flow"],
    ["", "/flow"],
    [null, "/flow"],
  ])("%s: %s", (next, path) => expect(safeNext(next, origin)).toBe(path));
});

describe("passwords", () => {
  it("are made of all letters alike", () => {
    expect(makePassword()).toMatch(/^[a-zA-Z2-9]{20}$/);
    expect(makePassword()).not.toBe(makePassword());
    // Bytes at the end are thrown away rather than folded onto the first letters.
    let round = 0;
    const made = makePassword((bytes) => bytes.fill(round++ === 0 ? 255 : 1));
    expect(made).toBe("b".repeat(20));
  });

  it("say what is wrong", () => {
    expect(passwordProblem("short", "short")).toBe("short");
    expect(passwordProblem("long enough it is", "long enough it was")).toBe("differ");
    expect(passwordProblem("long enough it is", "long enough it is")).toBeUndefined();
    expect(passwordProblem("十二个字的密码就够长了吧", "十二个字的密码就够长了吧")).toBeUndefined();
  });
});

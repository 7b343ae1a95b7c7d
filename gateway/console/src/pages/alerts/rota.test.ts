import { describe, expect, it } from "vitest";
import { blocksOf, emptyLayer, moved, problemOf, type Rota } from "./rota";

const layer = { ...emptyLayer("a", new Date(2026, 2, 1)), people: ["ann"] };
const rota: Rota = { name: "ops", timeZone: "Asia/Shanghai", layers: [layer] };

describe("rotas", () => {
  it.each([
    ["a Sunday", new Date(2026, 2, 1), "2026-02-23"],
    ["a Monday", new Date(2026, 2, 2), "2026-02-23"],
    ["a Tuesday", new Date(2026, 2, 3), "2026-03-02"],
  ])("begins on the Monday before %s", (_, today, start) => {
    expect(emptyLayer("a", today).start).toBe(start);
  });

  it.each([
    [{}, undefined],
    [{ name: "o ps" }, "name"],
    [{ timeZone: "Nowhere/Land" }, "zone"],
    [{ layers: [] }, "layers"],
    [{ layers: [{ ...layer, people: [] }] }, "people"],
    [{ layers: [{ ...layer, people: ["zoe"] }] }, "person"],
    [{ layers: [{ ...layer, start: "1.3.2026" }] }, "start"],
    [{ layers: [{ ...layer, days: 0 }] }, "length"],
    [{ layers: [{ ...layer, days: undefined, hours: 5 }] }, "length"],
    [{ layers: [{ ...layer, days: undefined, hours: 6 }] }, undefined],
    [{ layers: [{ ...layer, handOver: "25:00" }] }, "time"],
    [{ layers: [{ ...layer, restrictions: [{ from: "8" }] }] }, "time"],
  ] as const)("finds what is wrong: %j", (part, problem) => {
    expect(problemOf({ ...rota, ...(part as Rota) }, ["ann", "bob"])).toBe(problem);
  });

  it("places shifts in a line and cuts them at its ends", () => {
    const at = (h: number) => new Date(h * 3_600_000).toISOString();
    const blocks = blocksOf(
      [
        { person: "ann", from: at(-5), to: at(5) },
        { person: "bob", from: at(5), to: at(20) },
        { person: "zoe", from: at(20), to: at(30) },
      ],
      0,
      10 * 3_600_000,
    );
    expect(blocks.map((b) => [b.shift.person, b.left, b.width])).toEqual([
      ["ann", 0, 0.5],
      ["bob", 0.5, 0.5],
    ]);
  });

  it("moves within its ends", () => {
    expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
    expect(moved(["a", "b"], 1, 1)).toEqual(["a", "b"]);
  });
});

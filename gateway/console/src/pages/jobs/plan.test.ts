import { describe, expect, it } from "vitest";
import { BOX_WIDTH, placePlan, readPlan } from "./plan";

const plan = readPlan(
  JSON.stringify({
    nodes: [
      { id: "a", type: "Source: x" },
      { id: "b", type: "Source: y" },
      { id: "c", type: "Calc", predecessors: [{ id: "a", ship_strategy: "FORWARD" }] },
      { id: "j", type: "Join", predecessors: [{ id: "c" }, { id: "b", ship_strategy: "HASH" }] },
    ],
  }),
);

describe("placePlan", () => {
  it("puts an operator behind all that it reads from", () => {
    const placed = placePlan(plan);
    const x = (id: string) => placed.boxes.get(id)?.x ?? Number.NaN;
    expect([x("a"), x("b")]).toEqual([0, 0]);
    expect(x("c")).toBeGreaterThan(BOX_WIDTH);
    expect(x("j")).toBeGreaterThan(x("c") + BOX_WIDTH);
    expect(placed.lines.map((line) => line.key)).toEqual(["a→c", "c→j", "b→j"]);
  });
  it("ends on plans that go in a circle, and on none", () => {
    const circle = readPlan(
      '{"nodes":[{"id":"a","predecessors":[{"id":"b"}]},{"id":"b","predecessors":[{"id":"a"}]}]}',
    );
    expect(placePlan(circle).boxes.size).toBe(2);
    expect(placePlan([]).lines).toEqual([]);
  });
  it("reads nothing from what is no plan", () => {
    expect(readPlan("")).toEqual([]);
    expect(readPlan("{")).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { History } from "./history";
import { layout, NODE_HEIGHT } from "./layout";
import { Auditor, account } from "./ledger";

describe("layout", () => {
  const nodes = [
    { id: "agent/a", kind: "NODE_KIND_AGENT" as const },
    { id: "topic/x", kind: "NODE_KIND_TOPIC" as const },
    { id: "topic/y", kind: "NODE_KIND_TOPIC" as const },
    { id: "job/far", kind: "NODE_KIND_JOB" as const },
    { id: "job/near", kind: "NODE_KIND_JOB" as const },
  ];
  const edges = [
    { from: "agent/a", to: "topic/x" },
    { from: "agent/a", to: "topic/y" },
    { from: "topic/y", to: "job/far" },
    { from: "topic/x", to: "job/near" },
    { from: "topic/x", to: "job/gone" },
  ];
  const placed = layout(nodes, edges, 1200);
  const box = (id: string) => placed.boxes.get(id) ?? { x: Number.NaN, y: Number.NaN };

  it("goes from left to right by kind", () => {
    expect(box("agent/a").x).toBeLessThan(box("topic/x").x);
    expect(box("topic/x").x).toBeLessThan(box("job/near").x);
    expect(box("topic/x").x).toBe(box("topic/y").x);
  });
  it("orders a column by what leads to it", () => {
    expect(box("job/near").y).toBeLessThan(box("job/far").y);
  });
  it("keeps boxes apart and within the height", () => {
    expect(Math.abs(box("topic/x").y - box("topic/y").y)).toBeGreaterThan(NODE_HEIGHT);
    for (const one of placed.boxes.values()) expect(one.y + NODE_HEIGHT).toBeLessThanOrEqual(placed.height);
  });
  it("leaves out lines to what is not there", () => {
    expect(placed.lines).toHaveLength(4);
  });
  it("keeps labels of a gap apart", () => {
    const many = Array.from({ length: 6 }, (_, i) => ({ id: `job/${i}`, kind: "NODE_KIND_JOB" as const }));
    const to = many.map((node) => ({ from: "topic/x", to: node.id }));
    const back = many.map((node) => ({ from: "topic/y", to: node.id }));
    const { lines } = layout([...nodes.slice(0, 3), ...many], [...to, ...back], 1200);
    const ys = lines.map((line) => line.labelY).sort((a, b) => a - b);
    for (let i = 1; i < ys.length; i++) expect((ys[i] ?? 0) - (ys[i - 1] ?? 0)).toBeGreaterThanOrEqual(30);
  });
});

describe("ledger", () => {
  it("says what is missing", () => {
    const a = account({ service: "transform", name: "j", in: "100", out: "90", filtered: "4", deadLettered: "3" });
    expect(a.difference).toBe(3);
  });
  it("calls a difference by its name only when it stays", () => {
    const auditor = new Auditor();
    const at = (out: number) => account({ service: "s", name: "n", in: "10", out: String(out) });
    const look = (out: number) => [...auditor.look([at(out)]).values()][0];
    expect([look(9), look(8), look(10)]).toEqual(["settling", "settling", "balanced"]);
    expect([look(9), look(9), look(9), look(9)]).toEqual(["settling", "settling", "settling", "unbalanced"]);
  });
});

describe("history", () => {
  it("keeps the last minute, and forgets what is gone", () => {
    const history = new History();
    for (let i = 0; i < 70; i++) history.add(new Map([["a", i]]));
    expect(history.of("a")).toHaveLength(60);
    expect(history.of("a").at(-1)).toBe(69);
    history.add(new Map());
    expect(history.of("a")).toEqual([]);
  });
});

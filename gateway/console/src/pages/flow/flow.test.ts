import { describe, expect, it } from "vitest";
import { History } from "./history";
import { lane, layout, NODE_HEIGHT } from "./layout";
import { Auditor, account } from "./ledger";
import { beginning, Pulse, waiting, withAgents } from "./sources";

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

describe("a line over a column", () => {
  const nodes = [
    { id: "job/policy", kind: "NODE_KIND_JOB" as const },
    { id: "index/a", kind: "NODE_KIND_INDEX" as const },
    { id: "alerts", kind: "NODE_KIND_ALERTS" as const },
  ];
  it("passes its boxes", () => {
    const { lines, boxes, height } = layout(nodes, [{ from: "job/policy", to: "alerts" }], 1200);
    const box = boxes.get("index/a") ?? { x: 0, y: 0 };
    const [, y] = /L[\d.]+,([\d.]+)/.exec(lines[0]?.path ?? "") ?? [];
    expect(Number(y)).toBeGreaterThan(box.y + NODE_HEIGHT);
    expect(Number(y)).toBeLessThanOrEqual(height);
    expect(lines[0]?.labelX).toBeLessThan(box.x);
  });
  it("goes straight where nothing is in the way", () => {
    const { lines } = layout([nodes[0] ?? {}, nodes[2] ?? {}], [{ from: "job/policy", to: "alerts" }], 1200);
    expect(lines[0]?.path).not.toContain("L");
  });
  it("takes the nearest free place", () => {
    expect(lane([32, 120], 200)).toBe(200);
    expect(lane([32, 120], 160)).toBe(196);
    expect(lane([32, 120], 110)).toBe(108);
    expect(lane([32], 40)).toBe(108);
  });
});

describe("sources", () => {
  const agent = { id: "agent/vm", kind: "NODE_KIND_AGENT" as const };
  const into = (to: string, total = "1") => ({ from: "agent/vm", to, total });
  it("knows the demonstration", () => {
    const demo = { id: "job/demo", kind: "NODE_KIND_JOB" as const };
    const app = into("topic/topic-app-info");
    expect(beginning({ nodes: [agent, demo], edges: [app] })).toBe("demo");
    expect(beginning({ nodes: [agent], edges: [app] })).toBeUndefined();
    expect(beginning({ nodes: [agent, demo], edges: [app, into("topic/orders")] })).toBeUndefined();
    expect(beginning({ nodes: [demo], edges: [] })).toBe("none");
  });
  it("counts agents by how they are", () => {
    const t = { agentCount: (n: number) => `${n} agents`, agentStates: (...n: number[]) => n.join() };
    const agents = [{ state: "AGENT_STATE_ONLINE" as const }, { state: "AGENT_STATE_STOPPED" as const }];
    const node = { id: "agent/*", name: "2 agents", state: "STOPPED", reason: "vm has stopped" };
    expect(withAgents([node], agents, t)).toEqual([{ id: "agent/*", name: "2 agents", state: "1,0,1" }]);
    expect(withAgents([agent], agents.slice(1), t)).toEqual([agent]);
  });
  it("counts alerts that wait", () => {
    const kind = "NODE_KIND_ALERTS" as const;
    expect(waiting([{ kind, health: "HEALTH_LATE", size: "5", reason: "3 wait for somebody" }])).toBe(3);
    expect(waiting([{ kind, health: "HEALTH_OK", size: "5" }])).toBe(0);
  });
  it("notices lines that come", () => {
    const pulse = new Pulse();
    const at = (total: string, ms: number) =>
      pulse.look({ nodes: [agent], edges: [into("topic/a", total)] }, new Date(ms))?.getTime();
    expect([at("5", 1), at("5", 2), at("6", 3), at("6", 4)]).toEqual([undefined, undefined, 3, 3]);
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

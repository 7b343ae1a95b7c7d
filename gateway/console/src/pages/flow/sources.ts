import type { Schema } from "@weirflow/sdk";
import { num } from "@/api/numbers";

type Node = Schema<"Node">;
type Edge = Schema<"Edge">;
type Agent = Schema<"Agent">;

/** SEVERAL is the id of the node that stands for several agents, or for clients without one. */
export const SEVERAL = "agent/*";

/** DEMO are the topic and the job of the demonstration. */
const DEMO = { topic: "topic/topic-app-info", job: "job/demo" };

/** intoTopics are the edges from agents: what comes in. */
export function intoTopics(flow: Schema<"Flow">): Edge[] {
  const agents = new Set((flow.nodes ?? []).filter((node) => node.kind === "NODE_KIND_AGENT").map((node) => node.id));
  return (flow.edges ?? []).filter((edge) => agents.has(edge.from));
}

/** beginning says whether there is only the demonstration, or nothing at all: then one is told how to go on. */
export function beginning(flow: Schema<"Flow">): "demo" | "none" | undefined {
  const into = intoTopics(flow);
  if (into.length === 0) return "none";
  const demo = (flow.nodes ?? []).some((node) => node.id === DEMO.job);
  return demo && into.every((edge) => edge.to === DEMO.topic) ? "demo" : undefined;
}

/** statesOf counts agents by how they are. */
export function statesOf(agents: readonly Agent[]): { online: number; silent: number; stopped: number } {
  const of = (state: Agent["state"]) => agents.filter((agent) => agent.state === state).length;
  return { online: of("AGENT_STATE_ONLINE"), silent: of("AGENT_STATE_SILENT"), stopped: of("AGENT_STATE_STOPPED") };
}

interface Words {
  agentCount: (n: number) => string;
  agentStates: (online: number, silent: number, stopped: number) => string;
}

/**
 * withAgents says of the node of several agents how many are online and how many have
 * stopped: the API says of it what is true of the last one only.
 */
export function withAgents(nodes: readonly Node[], agents: readonly Agent[], t: Words): Node[] {
  if (agents.length < 2) return [...nodes];
  const { online, silent, stopped } = statesOf(agents);
  return nodes.map((node) => {
    if (node.id !== SEVERAL) return node;
    const { reason: _, ...rest } = node;
    return {
      ...rest,
      name: t.agentCount(agents.length),
      state: t.agentStates(online, silent, stopped) || (node.state ?? ""),
      ...(node.health === "HEALTH_FAILED" && node.reason ? { reason: node.reason } : {}),
    };
  });
}

/** waiting are how many alerts nobody has acknowledged; the node of alerts says so where there are some. */
export function waiting(nodes: readonly Node[]): number {
  const node = nodes.find((one) => one.kind === "NODE_KIND_ALERTS");
  if (node?.health !== "HEALTH_LATE") return 0;
  return Number(/\d+/.exec(node.reason ?? "")?.[0] ?? num(node.size));
}

/** Pulse notices when lines come in: a total that has grown since the picture before. */
export class Pulse {
  private readonly totals = new Map<string, number>();
  private last: Date | undefined;

  look(flow: Schema<"Flow">, now: Date): Date | undefined {
    for (const edge of intoTopics(flow)) {
      const key = `${edge.from}→${edge.to}`;
      const total = num(edge.total);
      const before = this.totals.get(key);
      if (before !== undefined && total > before) this.last = now;
      this.totals.set(key, total);
    }
    return this.last;
  }
}

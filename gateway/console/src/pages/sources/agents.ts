import type { Schema } from "@weirflow/sdk";
import { api } from "@/api/client";

type Agent = Schema<"Agent">;

/** listAgents asks page after page: an installation has some hundred agents. */
export async function listAgents(signal: AbortSignal): Promise<Agent[]> {
  const all: Agent[] = [];
  let pageToken: string | undefined;
  do {
    const page = await api.get("/api/v1/agents", { query: { pageSize: 500, pageToken }, signal });
    all.push(...(page.agents ?? []));
    pageToken = page.nextPageToken || undefined;
  } while (pageToken && all.length < 10_000);
  return all;
}

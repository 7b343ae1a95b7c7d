import { must } from "./check.mjs";

/** flow: see what flows, and go to a topic by a click. */
export async function flow(tab, base) {
  await tab.goto(`${base}/flow`);
  const topic = tab.locator('.flow-map [data-node="topic/topic-app-info"]');
  await topic.waitFor();
  must((await tab.locator('.flow-map [data-node^="agent/"]').count()) > 0, "no agent on the map");
  must((await tab.locator('.flow-map [data-node^="index/"]').count()) > 0, "no index on the map");
  await tab.locator(".table tbody tr", { hasText: "balanced" }).first().waitFor({ timeout: 15_000 });
  await topic.click();
  await tab.locator("h1", { hasText: "topic-app-info" }).waitFor();
  // The palette goes anywhere by keyboard.
  await tab.keyboard.press("Control+k");
  await tab.keyboard.type("demo");
  await tab.locator('[role="option"]', { hasText: "demo" }).first().waitFor();
  await tab.keyboard.press("Control+a");
  await tab.keyboard.type("log file");
  await tab.locator('[role="option"]', { hasText: "Add a log file" }).first().waitFor();
  await tab.keyboard.press("Escape");
}

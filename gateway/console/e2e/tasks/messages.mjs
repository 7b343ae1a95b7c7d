import { must } from "./check.mjs";

/** messages: find a message by its text, look at it as a tree, filter by a value, make a table of it. */
export async function messages(tab, base) {
  await tab.goto(`${base}/messages/topic-app-info?last=1000`);
  await tab.locator(".message-row").first().waitFor();
  await fast(tab);
  await tab.getByLabel("Text in key or value").fill("kworker");
  await tab.locator("text=/^\\d{1,3} of [\\d,]+ messages looked at/").waitFor();
  await tab.locator(".table tbody tr", { hasText: "kworker" }).first().click();
  const path = tab.locator(".json .value.string", { hasText: ".log" }).first();
  await path.click();
  await tab.waitForURL(/contains=.*log/);
  await tab.locator(".json button.key", { hasText: "offset" }).first().click();
  await tab.keyboard.press("Escape");
  await tab.locator("th", { hasText: "log.offset" }).waitFor();

  await tab.goto(`${base}/messages/topic-app-info?follow=1`);
  await tab.locator(".message-row").first().waitFor();
  const first = () => tab.locator(".table tbody tr").first().innerText();
  await tab.mouse.move(5, 400);
  const before = await first();
  await tab.waitForFunction((text) => document.querySelector(".table tbody tr")?.innerText !== text, before, {
    timeout: 30_000,
  });
  await tab.locator(".message-row").first().hover();
  await tab.locator("text=Paused").waitFor();
  const held = await first();
  await tab.waitForTimeout(4000);
  must((await first()) === held, "rows move while the pointer is over them");
}

const STEPS = 30;

/**
 * fast jumps through a thousand rows: a step takes 100 ms at most. It is the time of the
 * page's thread that counts, so that a machine with other work to do does not fail it.
 */
async function fast(tab) {
  const devtools = await tab.context().newCDPSession(tab);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const busy = async () =>
    (await devtools.send("Performance.getMetrics")).metrics.find((metric) => metric.name === "TaskDuration").value;
  const before = await busy();
  await tab.evaluate(async (steps) => {
    const box = document.querySelector(".table-box");
    for (let i = 0; i < steps; i++) {
      box.scrollTop = (box.scrollHeight / steps) * i;
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    }
    box.scrollTop = 0;
  }, STEPS);
  const step = ((await busy()) - before) * (1000 / STEPS);
  process.stdout.write(`     messages: a jump among 1,000 rows takes ${step.toFixed(0)} ms\n`);
  must(step <= 100, `a jump among 1,000 rows takes ${step.toFixed(0)} ms`);
}

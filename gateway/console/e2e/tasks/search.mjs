import { readFile } from "node:fs/promises";
import { must } from "./check.mjs";

/** search: find lines, filter by a value, look at the lines around one, save what is found, follow. */
export async function search(tab, base) {
  await tab.goto(`${base}/search?index=oceanus_test2&from=now-1h&refresh=0`);
  await tab.locator(".search-doc").first().waitFor();
  await query(tab);
  await fields(tab);
  await around(tab);
  await words(tab, base);
  await alert(tab, base);
  await more(tab, base);
  await download(tab);
  await zoom(tab);
  await live(tab, base);
}

const count = async (tab) => Number((await tab.locator(".search-total").innerText()).replace(/\D/g, ""));

/** query completes a field's name, and marks what matches. */
async function query(tab) {
  const all = await count(tab);
  const input = tab.getByRole("combobox", { name: "Query" });
  await input.fill("mess");
  await tab.getByRole("option", { name: /^message:/ }).click();
  await input.press("End");
  await input.pressSequentially("kworker");
  await input.press("Escape");
  await input.press("Enter");
  await tab.locator(".search-results mark", { hasText: "kworker" }).first().waitFor();
  await tab.waitForURL(/q=message%3Akworker/);
  const some = await count(tab);
  must(some > 0 && some < all, `${some} of ${all} documents match`);
}

async function fields(tab) {
  await tab.locator(".search-side .search-field", { hasText: "path" }).getByRole("button").first().click();
  const value = tab.locator(".search-value").first();
  await value.getByRole("button", { name: /^Only with/ }).click();
  await tab.locator(".search-filters li").first().waitFor();
  await tab.waitForURL(/filters=/);
  await tab.getByRole("button", { name: "Show num as a column" }).click();
  await tab.locator(".search-results th", { hasText: "num" }).waitFor();
}

/** around opens a document and the lines of its file before and after it. */
async function around(tab) {
  await tab.locator(".search-results tbody tr").nth(3).click();
  await tab.locator(".search-document").waitFor();
  await tab.getByRole("tab", { name: "Surrounding lines" }).click();
  await tab.locator(".search-lines .here").waitFor();
  must((await tab.locator(".search-lines li").count()) > 5, "there are no lines around it");
  await tab.keyboard.press("Escape");
  await tab.locator(".drawer").waitFor({ state: "detached" });
}

/** words says what several words mean, asks for all of them, and begins a panel with that. */
async function words(tab, base) {
  await tab.goto(`${base}/search?index=oceanus_test2&from=now-1h&refresh=0&q=kworker%20root`);
  await tab.locator(".search-any").getByRole("button", { name: "kworker AND root", exact: true }).click();
  await tab.waitForURL(/q=kworker(\+|%20)AND(\+|%20)root/);
  await tab.locator(".search-any").waitFor({ state: "detached" });
  const link = await tab.getByRole("link", { name: "Make a panel of this search" }).getAttribute("href");
  must(/^\/dashboards\?panel=new&index=oceanus_test2&query=kworker\+AND\+root/.test(link), `the panel's link: ${link}`);
}

/** alert begins a policy over the lines that are found, which says how often it would have fired. */
async function alert(tab, base) {
  await tab.goto(`${base}/search?index=oceanus_test2&from=now-1h&refresh=0&q=message%3Akworker`);
  await tab.locator(".search-doc").first().waitFor();
  await tab.locator('a[href*="topic=topic-app-info"]').click();
  const value = (name) =>
    tab
      .getByRole("textbox", { name, exact: true })
      .or(tab.getByRole("combobox", { name, exact: true }))
      .inputValue();
  must((await value("Topic")) === "topic-app-info", `the policy's topic is ${await value("Topic")}`);
  must((await value("Pattern")) === "kworker", "the policy is not over what was searched for");
}

/** more comes as one scrolls, and each step is quick. */
async function more(tab, base) {
  await tab.goto(`${base}/search?index=oceanus_test2&from=now-1h&refresh=0`);
  await tab.locator(".search-doc").first().waitFor();
  const shown = async () => Number((await tab.locator(".search-foot").innerText()).replace(/\D/g, ""));
  const scroll = () =>
    tab.locator(".search-results .table-box").evaluate((box) => {
      box.scrollTop = box.scrollHeight;
    });
  const all = await count(tab);
  for (let i = 0; i < 100 && (await shown()) < Math.min(all, 1000); i++) {
    await scroll();
    await tab.waitForTimeout(100);
  }
  must((await shown()) >= Math.min(all, 1000), `${await shown()} of ${all} documents came by scrolling`);
  const steps = await tab.locator(".search-results .table-box").evaluate(async (box) => {
    const times = [];
    for (let i = 0; i < 30; i++) {
      const started = performance.now();
      box.scrollTop = (box.scrollHeight / 40) * i;
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      times.push(performance.now() - started);
    }
    return times.sort((a, b) => a - b);
  });
  process.stdout.write(`     search: a scroll step takes ${steps[15].toFixed(0)} ms\n`);
  must(steps[15] <= 100, `a scroll step takes ${steps[15].toFixed(0)} ms`);
}

async function download(tab) {
  await tab.getByRole("button", { name: "Download" }).click();
  await tab.getByLabel("Format").selectOption("ndjson");
  await tab.getByLabel("At most").selectOption("1000");
  const started = tab.waitForEvent("download");
  await tab.getByRole("dialog").getByRole("button", { name: "Download" }).click();
  const file = await (await started).path();
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  must(lines.length > 0 && JSON.parse(lines[0])._source !== undefined, "what is saved are no documents");
}

/** zoom drags over the bars; the time is then what was dragged over. */
async function zoom(tab) {
  const box = await tab.locator(".search-histogram .u-over").boundingBox();
  await tab.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2);
  await tab.mouse.down();
  await tab.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2, { steps: 5 });
  await tab.mouse.up();
  await tab.waitForURL(/from=20\d\d-/);
}

/** live shows new documents by itself, and holds still while one reads. */
async function live(tab, base) {
  await tab.goto(`${base}/search?index=oceanus_test2&live=1&from=now-15m`);
  const first = tab.locator(".search-results tbody tr").first();
  await first.waitFor();
  await tab.mouse.move(5, 400);
  const before = await first.innerText();
  await tab.waitForFunction((text) => document.querySelector(".search-results tbody tr")?.innerText !== text, before, {
    timeout: 40_000,
  });
  await first.hover();
  await tab.locator("text=Paused").waitFor();
  const held = await first.innerText();
  await tab.waitForTimeout(4000);
  must((await first.innerText()) === held, "rows move while the pointer is over them");
}

import { readFile } from "node:fs/promises";
import { must } from "./check.mjs";

/** sources: find a file of an agent and see its lines as they come. */
export async function sources(tab, base) {
  await tab.goto(`${base}/sources`);
  await tab.locator(".table tbody tr").first().click();
  await tab.locator(".table tbody tr", { hasText: ".log" }).first().click();
  await tab.locator(".sources-line").first().waitFor({ timeout: 20_000 });
  const before = await tab.locator(".sources-line").last().innerText();
  await tab.waitForFunction(
    (last) => [...document.querySelectorAll(".sources-line")].at(-1)?.innerText !== last,
    before,
    {
      timeout: 30_000,
    },
  );
  must((await tab.locator(".sources-line").count()) > 1, "the lines do not come");
  await addFile(tab, base);
}

/** addFile: say which file, and take the filebeat.yml for it. */
async function addFile(tab, base) {
  await tab.goto(`${base}/sources`);
  await tab.getByRole("button", { name: "Add a log file" }).click();
  await tab.getByLabel("Path of the file").fill("/var/log/shop/orders-*.log");
  must((await tab.getByLabel("Into the topic").inputValue()) === "orders", "the topic is not named by the file");
  const started = tab.waitForEvent("download");
  await tab.getByRole("button", { name: "Download" }).click();
  const yml = await readFile(await (await started).path(), "utf8");
  must(yml.includes("/var/log/shop/orders-*.log") && yml.includes("topic: orders"), yml);
}

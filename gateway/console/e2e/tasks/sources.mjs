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
}

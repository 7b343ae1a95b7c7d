import { readFile } from "node:fs/promises";
import { call } from "./api.mjs";
import { fillEditor, must } from "./check.mjs";

const NAME = "e2e-own";

/** dashboards: make one's own, with panels of metrics and documents, move them, save, export, delete. */
export async function dashboards(tab, base) {
  await tab.goto(`${base}/dashboards`);
  await tab.locator(".table tbody tr").first().waitFor();
  const session = await tab.request.get(`${base}/api/v1/session`);
  const headers = { "X-CSRF-Token": (await session.json()).csrfToken ?? "" };
  await tab.request.delete(`${base}/api/v1/dashboards/${NAME}`, { headers });
  await create(tab);
  await metrics(tab);
  await documents(tab);
  await move(tab);
  await save(tab);
  await conflict(tab, base);
  await grafana(tab);
  await remove(tab, base);
}

async function create(tab) {
  await tab.getByRole("button", { name: "New dashboard" }).first().click();
  await tab.getByLabel("Title").fill("E2E own");
  await tab.getByRole("button", { name: "Create" }).click();
  await tab.waitForURL(/dashboards\/e2e-own/);
}

async function metrics(tab) {
  await tab.getByRole("button", { name: "Add a panel" }).first().click();
  await tab.getByLabel("Title", { exact: true }).fill("Up");
  // A new panel is of documents where there are some.
  await tab.getByLabel("From", { exact: true }).selectOption("promql");
  await fillEditor(tab, "up");
  await tab.locator(".dash-preview canvas").waitFor({ timeout: 20_000 });
  await tab.getByLabel("Drawn as").selectOption("stat");
  await tab.locator(".dash-preview .dash-number").first().waitFor();
  await tab.getByRole("button", { name: "Done" }).click();
}

/** documents draws the share of each file in the lines of an index. */
async function documents(tab) {
  await tab.getByRole("button", { name: "Add a panel" }).first().click();
  await tab.getByLabel("Title", { exact: true }).fill("By file");
  const index = tab.getByRole("combobox", { name: "Index" });
  await index.fill("oceanus_test2");
  await index.press("Enter");
  const time = tab.getByRole("combobox", { name: "Time field" });
  await tab.waitForFunction((one) => one.value === "createTime", await time.elementHandle(), { timeout: 10_000 });
  const group = tab.getByRole("combobox", { name: "Split by" });
  await group.fill("path");
  await group.press("Enter");
  await tab.waitForFunction((one) => one.value === "path.keyword", await group.elementHandle());
  await tab.locator(".dash-preview canvas").waitFor({ timeout: 20_000 });
  await tab.getByLabel("Drawn as").selectOption("pie");
  await tab.locator(".dash-preview .dash-shares li").first().waitFor();
  await tab.getByRole("button", { name: "Done" }).click();
}

/** move takes a panel by keyboard, and another by the pointer. */
async function move(tab) {
  const place = (name) =>
    tab
      .locator(".dash-place", { hasText: name })
      .first()
      .evaluate((one) => [one.style.getPropertyValue("--x"), one.style.getPropertyValue("--w")].map(Number));
  const handle = tab.getByRole("button", { name: /^Move Up/ });
  const before = await place("Up");
  await handle.focus();
  await handle.press("ArrowRight");
  await handle.press("Shift+ArrowRight");
  const after = await place("Up");
  must(after[0] === before[0] + 1 && after[1] === before[1] + 1, `the arrows moved it from ${before} to ${after}`);
  const box = await tab.getByRole("button", { name: /^Move By file/ }).boundingBox();
  const grid = await tab.locator(".dash-grid").boundingBox();
  const [x] = await place("By file");
  await tab.mouse.move(box.x + 20, box.y + 10);
  await tab.mouse.down();
  await tab.mouse.move(box.x + 20 + (grid.width / 24) * (x === 1 ? 2 : -1), box.y + 10, { steps: 6 });
  await tab.mouse.up();
  must((await place("By file"))[0] === x + (x === 1 ? 2 : -1), "the panel was not dragged");
}

async function save(tab) {
  await tab.getByRole("button", { name: "Save", exact: true }).click();
  await tab.locator("text=The dashboard is saved").waitFor();
  const { dashboard } = await call(tab, "GET", `/api/v1/dashboards/${NAME}`);
  must(dashboard.panels.length === 2 && Number(dashboard.version) === 2, JSON.stringify(dashboard));
}

/** conflict: another saved meanwhile; mine replaces it when I say so. */
async function conflict(tab, base) {
  await tab.goto(`${base}/dashboards/${NAME}?edit=1`);
  const handle = tab.getByRole("button", { name: /^Move Up/ });
  await handle.focus();
  await handle.press("Shift+ArrowRight");
  const { dashboard } = await call(tab, "GET", `/api/v1/dashboards/${NAME}`);
  await call(tab, "PUT", `/api/v1/dashboards/${NAME}`, { ...dashboard, title: "Theirs" });
  await tab.getByRole("button", { name: "Save", exact: true }).click();
  await tab.getByRole("button", { name: "Mine: replace theirs" }).click();
  await tab.locator("h1", { hasText: "E2E own" }).waitFor();
}

async function grafana(tab) {
  await tab.locator(".page-actions").getByRole("button", { name: "More" }).click();
  const started = tab.waitForEvent("download");
  await tab.getByRole("menuitem", { name: "Download for Grafana" }).click();
  const model = JSON.parse(await readFile(await (await started).path(), "utf8"));
  must(model.panels?.length === 2, "Grafana's JSON has other panels");
}

/** remove deletes it, takes that back, and deletes it again. */
async function remove(tab, base) {
  const gone = async () => {
    await tab.locator(".page-actions").getByRole("button", { name: "More" }).click();
    await tab.getByRole("menuitem", { name: "Delete" }).click();
    await tab.locator(".toast", { hasText: "is deleted" }).waitFor();
  };
  await gone();
  await tab.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await tab.locator(".table tbody tr", { hasText: "E2E own" }).waitFor();
  await tab.goto(`${base}/dashboards/${NAME}`);
  await gone();
}

/** closer opens a panel large. */
export async function closer(tab) {
  await tab.locator(".dash-head .menu-box button").first().click();
  await tab.locator(".menu-item").first().click();
  await tab.locator(".drawer .dash-over canvas").waitFor();
}

import { fillEditor, must } from "./check.mjs";

const NAME = "e2e-console";

/** jobs: from messages to a job that runs, changed, and deleted again. */
export async function jobs(tab, base) {
  await tab.request.delete(`${base}/api/v1/jobs/${NAME}`, { headers: await csrf(tab, base) });
  await tab.request.delete(`${base}/api/v1/jobs/${NAME}/savepoints/e2e`, { headers: await csrf(tab, base) });
  const table = await draft(tab, base);
  await preview(tab);
  await target(tab, table);
  await masked(tab, table);
  await mistake(tab, table);
  await create(tab, table);
  await unitTest(tab);
  await change(tab, table);
  await savepoint(tab);
  await remove(tab, base);
}

async function csrf(tab, base) {
  const answer = await tab.request.get(`${base}/api/v1/session`);
  return answer.ok() ? { "X-CSRF-Token": (await answer.json()).csrfToken ?? "" } : {};
}

/** draft begins a job from the messages of a topic. */
async function draft(tab, base) {
  await tab.goto(`${base}/messages/topic-app-info`);
  await tab.locator(".message-row").first().waitFor();
  await tab.getByRole("button", { name: "CREATE TABLE" }).click();
  const sql = await tab.locator(".messages-sql").innerText();
  must(sql.includes("`@timestamp` TIMESTAMP_LTZ(3)"), `the table lacks its time: ${sql}`);
  await tab.getByRole("button", { name: "Start a job from these" }).click();
  await tab.locator(".cm-content").waitFor();
  await tab.getByRole("tab", { name: /Problems/ }).click();
  await tab.locator("text=No problems").waitFor({ timeout: 15_000 });
  await tab.getByRole("tab", { name: /Preview/ }).click();
  return sql;
}

async function preview(tab) {
  await tab.getByLabel("From", { exact: true }).selectOption({ label: "the beginning" });
  await tab.locator(".cm-content").first().click();
  await tab.keyboard.press("Control+Enter");
  await tab.locator(".bench-cell").first().waitFor({ timeout: 20_000 });
  await tab.locator("text=/100 rows.*records read/").waitFor({ timeout: 20_000 });
}

/** target gives a SELECT that stands alone a table to write to, and then a second one. */
async function target(tab, table) {
  await fillEditor(tab, `${table}\nSELECT message, \`log\`.file.path FROM topic_app_info;`);
  await tab.getByRole("tab", { name: /Problems/ }).click();
  await tab.getByRole("button", { name: "Insert a target table" }).click({ timeout: 15_000 });
  await tab.locator("text=No problems").waitFor({ timeout: 15_000 });
  await tab.getByRole("button", { name: "Write to" }).click();
  await tab.getByRole("menuitem", { name: "an alert" }).click();
  await tab.locator(".cm-line", { hasText: "topic_app_info_alert" }).first().waitFor({ timeout: 15_000 });
  await tab.locator("text=No problems").waitFor({ timeout: 15_000 });
}

/** masked says before a job is created that the secret of another cannot be taken over. */
async function masked(tab, table) {
  const sink = "CREATE TABLE o (message STRING) WITH ('connector' = 'elasticsearch-7', 'hosts' = 'http://127.0.0.1:1',";
  await fillEditor(
    tab,
    `${table}\n${sink} 'index' = 'o', 'username' = 'a', 'password' = '******');\nINSERT INTO o SELECT message FROM topic_app_info;`,
  );
  await tab
    .locator(".bench-problem", { hasText: "The secret of 'password' is not shown" })
    .waitFor({ timeout: 15_000 });
}

/** mistake is underlined as one types, with what was meant; completion knows the columns. */
async function mistake(tab, table) {
  await fillEditor(tab, `${table}\nSELECT mesage FROM topic_app_info;`);
  await tab.locator(".cm-lintRange-error").first().waitFor({ timeout: 10_000 });
  await tab.getByRole("tab", { name: /Problems/ }).click();
  await tab.locator(".bench-problem", { hasText: "message" }).waitFor();
  await fillEditor(tab, `${table}\n`);
  await tab.waitForTimeout(1500);
  await tab.keyboard.type("SELECT mess");
  await tab.locator(".cm-tooltip-autocomplete li", { hasText: "message" }).first().waitFor({ timeout: 10_000 });
  await tab.keyboard.press("Escape");
}

function script(table, columns) {
  return `${table}
CREATE TABLE out_e2e (path STRING, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO out_e2e SELECT ${columns} FROM topic_app_info GROUP BY \`log\`.file.path;`;
}

async function create(tab, table) {
  await fillEditor(tab, script(table, "`log`.file.path, COUNT(*)"));
  await tab.getByPlaceholder("Name of the job").fill(NAME);
  await tab.getByRole("button", { name: "Create and start" }).click({ timeout: 15_000 });
  await tab.locator(".page-title .badge", { hasText: "running" }).waitFor({ timeout: 20_000 });
  await tab.locator(".plan-node").first().waitFor();
  must((await tab.locator(".plan-node").count()) >= 3, "the plan is not drawn");
}

const TESTS = `tests:
  - name: counts by path
    steps:
      - into: topic_app_info
        rows:
          - {"@timestamp": "2026-03-01T10:00:00Z", log: {file: {path: /a}}}
          - {"@timestamp": "2026-03-01T10:00:01Z", log: {file: {path: /a}}}
    expect:
      out_e2e:
        - {path: /a, n: 2}
`;

async function unitTest(tab) {
  await tab.getByRole("tab", { name: "SQL" }).click();
  await tab.getByRole("tab", { name: "Unit tests" }).click();
  const editor = tab.locator(".bench-tests .cm-content");
  await editor.click();
  await tab.keyboard.press("Control+a");
  await tab.keyboard.insertText(TESTS);
  await tab.getByRole("button", { name: "Run the tests" }).click();
  await tab.locator("text=1 of 1 passed").waitFor({ timeout: 15_000 });
}

async function change(tab, table) {
  await tab.getByRole("tab", { name: "SQL" }).click();
  await fillEditor(tab, script(table, "`log`.file.path, COUNT(*) + 1"));
  await tab.getByRole("button", { name: "Save changes…" }).click({ timeout: 15_000 });
  const dialog = tab.locator("dialog[open]");
  await dialog.locator(".notice").first().waitFor();
  await dialog.getByRole("button", { name: "Replace" }).click();
  await dialog.waitFor({ state: "detached", timeout: 20_000 });
  await tab.getByRole("tab", { name: "Versions" }).click();
  await tab.locator(".versions-list li").nth(1).waitFor();
  await tab.locator(".diff-line.added", { hasText: "+ 1" }).waitFor();
}

async function savepoint(tab) {
  await tab.getByRole("tab", { name: "Savepoints" }).click();
  await tab.getByLabel("Name of the savepoint").fill("e2e");
  await tab.getByRole("button", { name: "Keep a savepoint" }).click();
  await tab.locator(".table tbody tr", { hasText: "e2e" }).waitFor({ timeout: 15_000 });
  await tab.getByRole("button", { name: "Stop", exact: true }).click();
  await tab.locator(".page-title .badge", { hasText: "stopped" }).waitFor({ timeout: 15_000 });
}

async function remove(tab, base) {
  await tab.getByRole("button", { name: "More" }).click();
  await tab.getByRole("menuitem", { name: "Delete…" }).click();
  const dialog = tab.locator("dialog[open]");
  await dialog.locator("text=2 versions").waitFor();
  must(await dialog.getByRole("button", { name: "Delete the job" }).isDisabled(), "it can be deleted without its name");
  await dialog.locator("input").fill(NAME);
  await dialog.getByRole("button", { name: "Delete the job" }).click();
  await tab.waitForURL(`${base}/jobs`);
}

import { call, until } from "./api.mjs";

/** firing has a policy that fires at once, and waits for its alert. */
async function firing(tab, name) {
  await call(tab, "PUT", `/api/v1/policies/${name}`, {
    promql: { expr: "vector(1) > 0.5" },
    severity: "warning",
    labels: { team: "console" },
    annotations: {
      summary: "An alert of the end-to-end run",
      description: "It fires as long as its policy is there.",
      runbook_url: "https://example.com/runbooks/e2e",
    },
  });
  return until(
    `the alert of ${name}`,
    () => call(tab, "GET", "/api/v1/alerts"),
    (answer) => answer.alerts?.some((a) => a.labels.alertname === name),
  ).then((answer) => answer.alerts.find((a) => a.labels.alertname === name));
}

export const alertPages = [
  {
    name: "alerts",
    path: "/alerts",
    ready: ".alerts-filter",
    before: async (tab) => {
      await firing(tab, "e2e-shown");
      await tab.waitForSelector(".table tbody tr", { timeout: 20_000 });
    },
    task: policy,
  },
  {
    name: "alerts-one",
    path: "/alerts",
    ready: ".alerts-filter",
    before: async (tab) => {
      const { fingerprint } = await firing(tab, "e2e-shown");
      await tab.goto(new URL(`/alerts?fingerprint=${fingerprint}`, tab.url()).href);
      await tab.waitForSelector(".timeline li");
    },
    settle: 1500,
  },
  {
    name: "alerts-page",
    path: "/alerts",
    ready: ".alerts-filter",
    before: async (tab) => {
      const { fingerprint } = await firing(tab, "e2e-shown");
      await tab.goto(new URL(`/alerts/${fingerprint}`, tab.url()).href);
      await tab.waitForSelector(".timeline li");
    },
    settle: 1500,
  },
  { name: "alerts-grouped", path: "/alerts?group=1", ready: ".alerts-group, .state" },
  { name: "alerts-silences", path: "/alerts/silences?state=", ready: ".table" },
  {
    name: "alerts-silence",
    path: "/alerts/silences",
    ready: ".table",
    before: async (tab) => {
      await tab.locator(".page-actions .button.primary").click();
      await tab.locator("dialog .pairs + div button").click();
      await tab.locator("dialog .pair input").first().fill("severity");
      await tab.locator("dialog .pair input").nth(1).fill("warning");
    },
  },
  { name: "alerts-deliveries", path: "/alerts/deliveries", ready: ".table" },
  {
    name: "alerts-policies",
    path: "/alerts/policies",
    ready: ".table",
    before: async (tab) => {
      await firing(tab, "e2e-shown");
      await tab.waitForSelector(".table tbody tr", { timeout: 20_000 });
    },
  },
  {
    name: "alerts-policy",
    path: "/alerts/policies",
    ready: ".table",
    before: async (tab) => {
      await firing(tab, "e2e-shown");
      await tab.goto(new URL("/alerts/policies/e2e-shown", tab.url()).href);
      await tab.locator(".policy .toolbar button[type=submit]").click();
      await tab.waitForSelector(".episode");
      await tab.waitForSelector(".policy .u-wrap");
    },
  },
  { name: "alerts-policy-new", path: "/alerts/policies/new", ready: ".kinds" },
  {
    name: "alerts-policy-log",
    path: "/alerts/policies/new",
    ready: ".kinds",
    before: async (tab) => tab.locator(".kind").last().click(),
  },
  {
    name: "alerts-oncall",
    path: "/alerts/oncall",
    ready: ".section",
    before: async (tab) => {
      await rota(tab);
      await tab.reload();
      await tab.waitForSelector(".shift");
    },
    task: onCall,
  },
  {
    name: "alerts-rota",
    path: "/alerts/oncall",
    ready: ".section",
    before: async (tab) => {
      await rota(tab);
      await tab.goto(new URL("/alerts/oncall/e2e-shown", tab.url()).href);
      await tab.waitForSelector(".shift");
    },
  },
  {
    name: "alerts-rota-edit",
    path: "/alerts/oncall",
    ready: ".section",
    before: async (tab) => {
      await rota(tab);
      await tab.goto(new URL("/alerts/oncall/e2e-shown", tab.url()).href);
      await tab.locator(".page-actions button").first().click();
      await tab.waitForSelector(".layer");
    },
  },
  {
    name: "alerts-templates",
    path: "/alerts/templates",
    ready: ".table tbody tr",
    allows: /\b400\b.*(preview|Bad Request)/,
    task: templates,
  },
  {
    name: "alerts-template",
    path: "/alerts/templates/weirflow.text.en",
    ready: ".preview",
    settle: 1500,
  },
];

/** rota has two people who take turns. */
async function rota(tab) {
  for (const [name, displayName, phone] of [
    ["e2e-ann", "Ann of the run", "+8613800138000"],
    ["e2e-bo", "薄荷", "+8613800138001"],
  ]) {
    await call(tab, "PUT", `/api/v1/people/${name}`, { displayName, contacts: { phone } });
  }
  const start = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  await call(tab, "PUT", "/api/v1/rotas/e2e-shown", {
    description: "Day and night, in turns of a day",
    timeZone: "Asia/Shanghai",
    layers: [{ name: "primary", people: ["e2e-ann", "e2e-bo"], start, handOver: "09:00", days: 1 }],
  });
}

/** policy writes a policy, tests it on the past, waits for its alert, deals with it, silences it, and deletes the policy. */
async function policy(tab, base) {
  const name = `e2e-${Date.now()}`;
  await tab.goto(`${base}/alerts/policies/new`);
  await tab.locator(".policy .input").first().fill(name);
  await tab.locator(".kind", { hasText: "PromQL" }).click();
  await tab.locator(".cm-content").click();
  await tab.keyboard.type("vector(3) > 2");
  await tab.getByRole("textbox", { name: "Value summary" }).fill("Three is more than {{ $value }} minus one");
  await tab.getByRole("button", { name: "Test", exact: true }).click();
  await tab.getByText("It would have fired 1 time.").waitFor();
  await tab.locator(".episode").waitFor();
  await tab.getByRole("button", { name: "Save" }).click();
  await tab.waitForURL(`${base}/alerts/policies/${name}`);

  await tab.goto(`${base}/alerts?q=${name}`);
  const row = tab.locator(".table tbody tr", { hasText: name });
  await row.click({ timeout: 60_000 });
  const drawer = tab.locator(".drawer");
  await drawer.getByText("Three is more than 3 minus one").first().waitFor();
  await drawer.getByLabel("Your name").fill("e2e");
  await drawer.getByRole("button", { name: "Acknowledge", exact: true }).click();
  await drawer.getByText("Acknowledged by e2e").waitFor();
  await row.getByText("acknowledged").waitFor();
  await tab.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await drawer.getByText("Nobody has acknowledged it.").waitFor();
  await drawer.getByRole("button", { name: "I have it" }).click();
  await row.getByText("e2e", { exact: true }).waitFor();
  await drawer.getByLabel("Comment").fill("looked at it");
  await drawer.getByRole("button", { name: "Add" }).click();
  await drawer.locator(".timeline").getByText("looked at it").waitFor();

  await drawer.getByRole("button", { name: "Silence…" }).click();
  const dialog = tab.locator("dialog[open]");
  await dialog.getByText(/Matches 1 of the/).waitFor();
  await dialog.getByLabel("Reason").fill("the end-to-end run");
  await dialog.getByRole("button", { name: "Silence", exact: true }).click();
  await row.getByText("held back").waitFor({ timeout: 20_000 });
  await tab.goto(`${base}/alerts/silences?q=${name}`);
  await tab.getByRole("button", { name: "Expire" }).click();
  await tab.getByText("The silence has ended").waitFor();

  await tab.goto(`${base}/alerts/policies?q=${name}`);
  await tab.locator(".table .menu-box button").click();
  await tab.getByRole("menuitem", { name: "Delete" }).click();
  await tab.getByText(`${name} is deleted`).waitFor();
  const { policies } = await call(tab, "GET", "/api/v1/policies");
  if (policies.some((one) => one.name === name)) throw new Error("the policy is still there");
}

/** onCall adds a person and a rota, sees who is on call, has somebody else stand in, and deletes the rota. */
async function onCall(tab, base) {
  const name = `e2e-${Date.now()}`;
  await tab.goto(`${base}/alerts/oncall`);
  await rota(tab);
  await tab.goto(`${base}/alerts/oncall/new`);
  const form = tab.locator(".rota-form");
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Add a person…").selectOption("e2e-ann");
  await form.getByRole("button", { name: "Save" }).click();
  await tab.waitForURL(`${base}/alerts/oncall/${name}`);
  await tab.locator(".strong", { hasText: "Ann of the run" }).first().waitFor({ timeout: 20_000 });
  await tab.getByLabel("Person").selectOption("e2e-bo");
  await tab.getByLabel("Reason").fill("a swap");
  await tab.getByRole("button", { name: "Add an override" }).click();
  await tab.locator(".shift.override").waitFor();
  await tab.locator(".strong", { hasText: "薄荷" }).first().waitFor({ timeout: 20_000 });
  await tab.getByRole("button", { name: "Delete", exact: true }).click();
  await tab.waitForURL(`${base}/alerts/oncall`);
  await tab.getByText(`The rota ${name} is deleted`).waitFor();
}

/** templates writes a template, sees it rendered and cut, keeps it and deletes it. */
async function templates(tab, base) {
  const name = `e2e${Date.now()}`;
  await tab.goto(`${base}/alerts/templates/new`);
  await tab.locator(".form .input").first().fill(name);
  await tab.locator(".cm-content").click();
  await tab.keyboard.press("Control+a");
  await tab.keyboard.type("Look: {{ .CommonLabels.alertname");
  await tab.locator(".notice.bad").waitFor();
  await tab.keyboard.type(" }}");
  await tab.locator(".preview", { hasText: /^Look: \S+/ }).waitFor();
  await tab.getByRole("button", { name: "Save" }).click();
  await tab.waitForURL(`${base}/alerts/templates/${name}.text`);
  await tab.getByRole("button", { name: "Delete" }).click();
  await tab.waitForURL(`${base}/alerts/templates`);
  await tab.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await tab.locator(".table tbody tr", { hasText: name }).waitFor();
  await call(tab, "DELETE", `/api/v1/templates/${name}.text`);
}

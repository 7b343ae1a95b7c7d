import { call } from "./api.mjs";

/** withUsers has users and tokens to show; run where one logs in. */
async function withUsers(tab) {
  const { users } = await call(tab, "GET", "/api/v1/users");
  for (const [name, displayName, role] of [
    ["olli", "Olli Operator", "ROLE_OPERATOR"],
    ["vera@example.com", "Vera Viewer", "ROLE_VIEWER"],
  ]) {
    if (users.some((user) => user.name === name)) continue;
    await call(tab, "POST", "/api/v1/users", { user: { name, displayName, role }, password: "a password of e2e" });
  }
}

/** shown opens an entry's own page again, once there is something to show. */
const again = async (tab, selector) => {
  await tab.reload();
  await tab.waitForSelector(selector, { timeout: 20_000 });
};

/** settingsPages are those of an installation where nobody has to log in. */
export const settingsPages = [
  { name: "settings", path: "/settings", ready: ".settings-columns" },
  { name: "settings-users-open", path: "/settings/users", ready: ".state, .table" },
  { name: "settings-services", path: "/settings/services", ready: ".table tbody tr", settle: 3000 },
  {
    name: "settings-service",
    path: "/settings/services",
    ready: ".table tbody tr",
    before: async (tab) => tab.locator(".table tbody tr").first().click(),
  },
  { name: "settings-audit-open", path: "/settings/audit", ready: ".table" },
  { name: "settings-about", path: "/settings/about", ready: ".settings-columns" },
];

/** guardedPages need an installation with users: `--login name:password` of an administrator. */
export const guardedPages = [
  {
    name: "login",
    path: "/login?next=%2Falerts%3Fgroup%3D1",
    ready: ".login-box form",
    guest: true,
    allows: /status of 401/,
    task: logIn,
  },
  { name: "settings-account", path: "/settings/account", ready: ".settings-columns form" },
  {
    name: "settings-users",
    path: "/settings/users",
    ready: ".table",
    before: async (tab) => {
      await withUsers(tab);
      await again(tab, ".table tbody tr:nth-child(3)");
    },
    task: users,
  },
  {
    name: "settings-user-new",
    path: "/settings/users",
    ready: ".table",
    before: async (tab) => {
      await tab.locator(".page-actions .button.primary").click();
      await tab.locator("dialog .button.small").first().click();
    },
  },
  {
    name: "settings-user-delete",
    path: "/settings/users",
    ready: ".table",
    before: async (tab) => {
      await withUsers(tab);
      await again(tab, ".table tbody tr:nth-child(3)");
      await tab.locator(".table tbody tr", { hasText: "olli" }).locator(".menu-box button").click();
      await tab.locator(".menu-item.danger").click();
      await tab.waitForSelector("dialog[open]");
    },
  },
  { name: "settings-tokens", path: "/settings/tokens", ready: ".table", task: tokens },
  {
    name: "settings-token-new",
    path: "/settings/tokens",
    ready: ".table",
    before: async (tab) => tab.locator(".page-actions .button.primary").click(),
  },
  { name: "settings-audit", path: "/settings/audit", ready: ".table tbody tr", task: audit },
];

/** logIn is refused with a wrong password, let in with the right one, and led back to where it came from. */
async function logIn(tab, base, login) {
  const [name, password] = login.split(/:(.*)/s);
  await tab.goto(`${base}/alerts/silences?q=disk`);
  await tab.waitForURL(/\/login\?next=/);
  await tab.getByLabel("Name").fill(name);
  await tab.getByLabel("Password").fill("not this password");
  await tab.getByRole("button", { name: "Log in" }).click();
  await tab.getByText("Name or password is wrong.").waitFor();
  await tab.getByLabel("Password").fill(password);
  await tab.getByRole("button", { name: "Log in" }).click();
  await tab.waitForURL(`${base}/alerts/silences?q=disk`);

  // What one types outlives a session that ends.
  await tab.goto(`${base}/alerts/policies/new`);
  await tab.locator(".policy .input").first().fill("typed-before");
  await tab.context().clearCookies();
  await tab.waitForURL(/\/login\?next=/, { timeout: 30_000 });
  await tab.getByLabel("Name").fill(name);
  await tab.getByLabel("Password").fill(password);
  await tab.getByRole("button", { name: "Log in" }).click();
  await tab.waitForURL(`${base}/alerts/policies/new`);
  await tab.waitForFunction(() => document.querySelector(".policy .input")?.value === "typed-before");

  await tab.goto(`${base}/settings/account`);
  await tab.getByRole("button", { name: "Log out" }).click();
  await tab.waitForURL(`${base}/login`);
}

/** users adds a user, changes the role, takes that back, and deletes the user by the typed name. */
async function users(tab, base) {
  const name = `e2e-${Date.now()}`;
  await tab.goto(`${base}/settings/users`);
  await tab.getByRole("button", { name: "New user" }).click();
  const dialog = tab.locator("dialog[open]");
  await dialog.getByLabel("Name", { exact: false }).first().fill(name);
  await dialog.getByRole("button", { name: "Make one" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  const row = tab.locator(".table tbody tr", { hasText: name });
  await row.waitFor();
  await row.locator(".menu-box button").click();
  await tab.getByRole("menuitem", { name: "Disable" }).click();
  await row.getByText("disabled").waitFor();
  await tab.locator(".toast").getByRole("button", { name: "Undo" }).click();
  await row.getByText("may log in").waitFor();
  await row.locator(".menu-box button").click();
  await tab.getByRole("menuitem", { name: "Delete…" }).click();
  const sure = dialog.getByRole("button", { name: "Delete the user" });
  if (await sure.isEnabled()) throw new Error("the user can be deleted without the name typed");
  await dialog.getByRole("textbox").fill(name);
  await sure.click();
  await row.waitFor({ state: "detached" });
}

/** tokens makes a token, uses its secret, deletes it, and is refused then. */
async function tokens(tab, base) {
  const name = `e2e ${Date.now()}`;
  await tab.goto(`${base}/settings/tokens`);
  await tab.getByRole("button", { name: "New token" }).click();
  const dialog = tab.locator("dialog[open]");
  await dialog.getByLabel("Name", { exact: false }).first().fill(name);
  await dialog.getByLabel("jobs").check();
  await dialog.getByRole("button", { name: "Make the token" }).click();
  const secret = (await dialog.locator(".secret code").innerText()).trim();
  const ask = async (path) =>
    (await fetch(`${base}${path}`, { headers: { Authorization: `Bearer ${secret}` } })).status;
  const [jobs, topics] = [await ask("/api/v1/jobs"), await ask("/api/v1/topics")];
  if (jobs !== 200 || topics !== 403)
    throw new Error(`a token for jobs gets ${jobs} for jobs and ${topics} for topics`);
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  if ((await tab.content()).includes(secret)) throw new Error("the secret is still on the page");
  await tab.getByRole("button", { name: `Delete ${name}` }).click();
  await dialog.getByRole("textbox").fill(name);
  await dialog.getByRole("button", { name: "Delete", exact: true }).click();
  await tab.locator(".table tbody tr", { hasText: name }).waitFor({ state: "detached" });
  const after = await ask("/api/v1/jobs");
  if (after !== 401) throw new Error(`a deleted token gets ${after}`);
}

/** audit finds a change that has just been made. */
async function audit(tab, base) {
  await tab.goto(`${base}/settings/audit`);
  const name = `e2e-audit-${Date.now()}`;
  await call(tab, "PUT", `/api/v1/policies/${name}`, { promql: { expr: "vector(1) > 2" } });
  await call(tab, "DELETE", `/api/v1/policies/${name}`);
  await tab.getByRole("searchbox").fill(name);
  await tab.locator(".table tbody tr", { hasText: "PolicyService/DeletePolicy" }).waitFor();
  await tab.locator(".table tbody tr", { hasText: "PolicyService/PutPolicy" }).waitFor();
}

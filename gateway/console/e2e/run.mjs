// Opens every page in Chromium: screenshots in all looks, accessibility, tasks, no errors.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { options } from "./args.mjs";
import { guarded, pages } from "./pages.mjs";
import { setUp, tearDown } from "./setup.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** looks are all in which a page is opened: theme, language and width, such as dark-zh-390. */
const looks = ["light", "dark"].flatMap((theme) =>
  ["en", "zh"].flatMap((language) => [390, 1024, 1600].map((width) => ({ theme, language, width }))),
);
const name = (look) => `${look.theme}-${look.language}-${look.width}`;
const wanted = options.look ?? (options.quick ? ["light-en-1600"] : looks.map(name));
const chosen = (options.login ? guarded : pages).filter((page) => !options.only || options.only.includes(page.name));
const faults = [];

function say(line) {
  process.stdout.write(`${line}\n`);
}

/** open makes a tab in a look, which notes errors of the console as faults. */
async function open(browser, look, where) {
  const context = await browser.newContext({
    viewport: { width: look.width, height: look.width < 720 ? 844 : 900 },
    locale: look.language === "zh" ? "zh-CN" : "en-GB",
    colorScheme: look.theme,
    reducedMotion: "reduce",
    // axe is put into the page: the page's own policy would refuse it.
    bypassCSP: look.bypassCSP ?? false,
  });
  if (options.login && !look.guest) await context.addCookies(await session(context));
  await context.addInitScript((language) => localStorage.setItem("weirflow.language", language), look.language);
  const tab = await context.newPage();
  tab.on("console", (message) => {
    if (message.type() === "error" && !look.allows?.test(message.text()))
      faults.push(`${where}: console: ${message.text()}`);
  });
  tab.on("response", async (answer) => {
    if (answer.status() < 400 || answer.status() === 401 || look.allows) return;
    const body = await answer.text().catch(() => "");
    faults.push(`${where}: ${answer.status()} ${answer.request().method()} ${answer.url()} ${body.slice(0, 200)}`);
  });
  tab.on("pageerror", (error) => faults.push(`${where}: ${error.message}`));
  return tab;
}

let cookies;

/** session logs in once, for all tabs. */
async function session(context) {
  if (!cookies) {
    const [name, password] = options.login.split(/:(.*)/s);
    const answer = await context.request.post(`${options.url}/api/v1/session`, { data: { name, password } });
    if (!answer.ok()) throw new Error(`logging in: ${answer.status()} ${await answer.text()}`);
    cookies = await context.cookies();
  }
  return cookies;
}

async function shoot(browser, page, look) {
  const where = `${page.name} ${look.theme} ${look.language} ${look.width}`;
  const tab = await open(browser, { ...look, guest: page.guest, allows: page.allows, bypassCSP: true }, where);
  try {
    await tab.goto(options.url + page.path, { waitUntil: "domcontentloaded" });
    await tab.waitForSelector(page.ready, { timeout: 20_000, state: "attached" });
    await page.before?.(tab, options.url);
    // Live pages need some seconds until their lines and rates have a past.
    await tab.waitForTimeout(page.settle ?? 800);
    if (options.shots) {
      await tab.screenshot({
        path: join(options.shots, `${page.name}-${name(look)}.png`),
      });
    }
    await sideways(tab, where);
    await accessible(tab, where);
  } catch (error) {
    faults.push(`${where}: ${error.message.split("\n")[0]}`);
    if (options.shots) await tab.screenshot({ path: join(options.shots, `FAULT-${page.name}-${look.width}.png`) });
  } finally {
    await tab.context().close();
  }
}

/** sideways finds pages that are wider than the screen. */
async function sideways(tab, where) {
  const over = await tab.evaluate(() => {
    const content = document.querySelector(".content") ?? document.documentElement;
    return Math.max(content.scrollWidth - content.clientWidth, document.documentElement.scrollWidth - innerWidth);
  });
  if (over > 1) faults.push(`${where}: the page is ${over} px wider than the screen`);
}

async function accessible(tab, where) {
  await tab.evaluate(axeSource);
  const result = await tab.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const violation of result.violations) {
    if (!["serious", "critical"].includes(violation.impact)) continue;
    const at = violation.nodes.slice(0, 3).map((node) => node.target.join(" "));
    faults.push(`${where}: axe ${violation.id}: ${violation.help}: ${at.join(" | ")}`);
  }
}

/** within fails what takes too long: a browser that hangs must not hang the run. */
function within(work, ms) {
  const late = new Promise((_, fail) => setTimeout(() => fail(new Error(`not done after ${ms / 1000} s`)), ms).unref());
  return Promise.race([work, late]);
}

async function perform(browser, page) {
  const where = `${page.name} task`;
  const tab = await open(
    browser,
    { theme: "light", language: "en", width: 1600, guest: page.guest, allows: page.allows },
    where,
  );
  try {
    const started = Date.now();
    await within(page.task(tab, options.url, options.login), 180_000);
    say(`ok   ${where} (${Date.now() - started} ms)`);
  } catch (error) {
    faults.push(`${where}: ${error.message}`);
    if (options.shots) await tab.screenshot({ path: join(options.shots, `FAULT-${page.name}-task.png`) });
  } finally {
    await tab.context().close();
  }
}

if (options.shots) mkdirSync(options.shots, { recursive: true });
if (!options.login) await setUp(options.url);
const browser = await chromium.launch({ executablePath: options.chromium, args: FLAGS });
try {
  for (const page of chosen) {
    const before = faults.length;
    for (const look of looks.filter((one) => wanted.includes(name(one)))) await shoot(browser, page, look);
    say(`${faults.length === before ? "ok  " : "BAD "} ${page.name}`);
    if (page.task && !options["no-tasks"]) await perform(browser, page);
  }
} finally {
  await browser.close();
  if (!options.login) await tearDown(options.url);
}
for (const fault of faults) process.stderr.write(`${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);

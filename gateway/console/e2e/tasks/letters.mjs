import { call, LETTERS } from "../setup.mjs";
import { must } from "./check.mjs";

/** letters: look at a dead letter, mend and replay it, and discard the others. */
export async function letters(tab, base) {
  await call(base, "POST", `/api/v1/jobs/${LETTERS}:start`, {});
  await tab.goto(`${base}/jobs/${LETTERS}?tab=letters`);
  await tab.locator(".letters-line").first().click();
  const drawer = tab.locator(".drawer");
  await drawer.locator(".notice.bad").waitFor();
  const payload = drawer.locator("textarea");
  const value = JSON.parse(await payload.inputValue());
  await payload.fill(JSON.stringify({ ...value, message: 7 }));
  await drawer.getByRole("button", { name: "Replay the mended one" }).click();
  await tab.locator(".toast", { hasText: "1 done" }).waitFor();
  await call(base, "POST", `/api/v1/jobs/${LETTERS}:stop`, {});
  await tab.getByRole("button", { name: "Discard these…" }).click();
  const dialog = tab.locator("dialog[open]");
  const asked = await dialog.locator("label.field .field-label", { hasText: /\d/ }).innerText();
  const count = /\d+/.exec(asked)?.[0] ?? "";
  must(await dialog.getByRole("button", { name: "Discard" }).isDisabled(), "discards without the number typed");
  await dialog.locator("input").fill(count);
  await dialog.getByRole("button", { name: "Discard" }).click();
  await tab.locator(".toast", { hasText: "done" }).last().waitFor();
  await tab.getByLabel("State").selectOption({ label: "discarded" });
  await tab.locator(".letters-line").first().waitFor();
}

/** call asks the API as the page would: with its session and its CSRF token. */
export async function call(tab, method, path, body) {
  const answer = await tab.evaluate(
    async ({ method, path, body }) => {
      const session = await fetch("/api/v1/session").then((r) => r.json());
      const response = await fetch(path, {
        method,
        headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrfToken ?? "" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return { status: response.status, text: await response.text() };
    },
    { method, path, body },
  );
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return JSON.parse(answer.text || "{}");
}

/** until asks again until the answer is as wanted. */
export async function until(what, ask, wanted, timeoutMs = 60_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    if (Date.now() > end) throw new Error(`${what} did not come within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

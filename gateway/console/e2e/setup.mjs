// What the pages need to have something to show: a job that sets records aside, a dashboard of all panels.
import { ALL, allPanels } from "./tasks/all-panels.mjs";

export const LETTERS = "e2e-letters";

const SQL = (brokers) => `CREATE TABLE numbers (message INT) WITH (
  'connector' = 'kafka', 'topic' = 'topic-app-info', 'properties.bootstrap.servers' = '${brokers}',
  'properties.group.id' = '${LETTERS}', 'scan.startup.mode' = 'latest-offset', 'format' = 'json',
  'error-handling.mode' = 'dlq'
);
CREATE TABLE nowhere (message INT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT message FROM numbers;`;

/** call asks the API and gives the answer, or undefined where it refuses. */
export async function call(base, method, path, body) {
  const session = await fetch(`${base}/api/v1/session`).then(
    (answer) => answer.json(),
    () => ({}),
  );
  const answer = await fetch(base + path, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrfToken ?? "" },
    body: body && JSON.stringify(body),
  });
  return answer.ok ? answer.json() : undefined;
}

/** brokersOf is where Kafka is, of the demonstration's job: a server that starts has it after some seconds. */
async function brokersOf(base) {
  for (let i = 0; i < 60; i++) {
    const { jobs = [] } = (await call(base, "GET", "/api/v1/jobs").catch(() => undefined)) ?? {};
    const scripts = jobs.map((job) => job.sql).join("\n");
    const brokers = /'properties\.bootstrap\.servers'\s*=\s*'([^']+)'/.exec(scripts)?.[1];
    if (brokers) return brokers;
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error(`no job at ${base} tells where Kafka is: is the demonstration running?`);
}

/** setUp starts the job, and waits until it has set something aside. */
export async function setUp(base) {
  const brokers = await brokersOf(base);
  await call(base, "DELETE", `/api/v1/dashboards/${ALL}`);
  await call(base, "PUT", `/api/v1/dashboards/${ALL}`, allPanels);
  await call(base, "POST", "/api/v1/jobs", { name: LETTERS, sql: SQL(brokers), start: true, replace: true });
  for (let i = 0; i < 60; i++) {
    const count = await call(base, "GET", `/api/v1/jobs/${LETTERS}/deadletters:count`);
    if (Number(count?.open) > 0) return;
    await new Promise((done) => setTimeout(done, 500));
  }
  throw new Error("the job has set nothing aside in 30 s");
}

export async function tearDown(base) {
  await call(base, "DELETE", `/api/v1/dashboards/${ALL}`);
  await call(base, "DELETE", `/api/v1/jobs/${LETTERS}`);
}

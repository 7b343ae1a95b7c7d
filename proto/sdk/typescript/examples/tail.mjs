// Follows a topic, and says at the beginning what runs: node tail.mjs TOPIC [TEXT]
// WEIRFLOW (http://127.0.0.1:8080) and WEIRFLOW_TOKEN say where and who.
import { ApiError, Client } from "../dist/index.js";

const [topic = "topic-app-info", contains] = process.argv.slice(2);
const weirflow = new Client({
  baseUrl: process.env.WEIRFLOW ?? "http://127.0.0.1:8080",
  token: process.env.WEIRFLOW_TOKEN,
});
const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.stdout.on("error", () => process.exit(0));

try {
  const { jobs = [] } = await weirflow.get("/api/v1/jobs");
  for (const job of jobs) console.error(`job ${job.name}: ${job.status?.state}`);
  const options = { path: { topic }, query: { contains, "start.last": "5" }, signal: stop.signal };
  await weirflow.stream("/api/v1/topics/{topic}/messages:follow", options, ({ messages = [] }) => {
    for (const message of messages) console.log(`${message.timestamp} ${message.partition}/${message.offset} ${message.text}`);
  });
} catch (error) {
  if (stop.signal.aborted) process.exit(0);
  console.error(error instanceof ApiError ? `${error.codeName}: ${error.message}` : error);
  process.exit(1);
}

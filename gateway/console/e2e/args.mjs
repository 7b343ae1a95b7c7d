import { parseArgs } from "node:util";

/** options are the command line: where Weirflow runs, where screenshots go, what to run. */
export const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: process.env.WEIRFLOW ?? "http://127.0.0.1:8080" },
    shots: { type: "string" },
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    tasks: { type: "boolean", default: true },
    "no-tasks": { type: "boolean", default: false },
    chromium: { type: "string", default: process.env.CHROMIUM ?? "/usr/bin/chromium" },
  },
});

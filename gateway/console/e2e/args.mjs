import { parseArgs } from "node:util";

/** options are the command line: where Weirflow runs, where screenshots go, what to run. */
export const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: process.env.WEIRFLOW ?? "http://127.0.0.1:8080" },
    shots: { type: "string" },
    only: { type: "string", multiple: true },
    // name:password of an administrator: runs the pages of an installation with users.
    login: { type: "string", default: process.env.WEIRFLOW_LOGIN },
    quick: { type: "boolean", default: false },
    look: { type: "string", multiple: true },
    "no-tasks": { type: "boolean", default: false },
    chromium: { type: "string", default: process.env.CHROMIUM ?? "/usr/bin/chromium" },
  },
});

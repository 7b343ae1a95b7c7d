// Fails when what the first page needs is over the budget: the entry with all that it
// imports at once, and the styles, compressed as the gateway sends them.
import { readFileSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 300 * 1024;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

/** closure is an entry with everything that loads with it. */
function closure(keys) {
  const files = new Set(["index.html"]);
  const seen = new Set();
  const add = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    const chunk = manifest[key];
    files.add(chunk.file);
    for (const css of chunk.css ?? []) files.add(css);
    for (const imported of chunk.imports ?? []) add(imported);
  };
  for (const key of keys) add(key);
  return files;
}

const size = (files) =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length, 0);
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} kB`;

// The manifest is for this script only.
rmSync(new URL(".vite", dist), { recursive: true });

const pages = Object.keys(manifest).filter((key) => /^src\/pages\/[^/]+\/index\.tsx$/.test(key));
let worst = 0;
for (const page of pages) {
  const bytes = size(closure(["index.html", page]));
  worst = Math.max(worst, bytes);
  process.stdout.write(`${kb(bytes).padStart(10)}  ${page}\n`);
}
if (worst > BUDGET) {
  process.stderr.write(`first load is ${kb(worst)}, over the budget of ${kb(BUDGET)}\n`);
  process.exit(1);
}

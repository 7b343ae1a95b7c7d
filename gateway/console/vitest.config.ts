import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  resolve: {
    alias: { "@": path("./src"), "@weirflow/sdk": path("../../proto/sdk/typescript/src/index.ts") },
  },
  test: { include: ["src/**/*.test.ts", "../../proto/sdk/typescript/src/**/*.test.ts"], environment: "node" },
  server: { fs: { allow: ["../.."] } },
});

import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

// WEIRFLOW is the gateway that `npm run dev` passes the API's calls to.
const gateway = process.env.WEIRFLOW ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: { "@": path("./src"), "@weirflow/sdk": path("../../proto/sdk/typescript/src/index.ts") },
  },
  build: {
    // The first that know light-dark(), on which both themes rest.
    target: ["chrome123", "firefox120", "safari17.5"],
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    sourcemap: false,
    // Fonts and icons as data: URLs would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
  },
  server: {
    host: "127.0.0.1",
    fs: { allow: ["../.."] },
    proxy: {
      "/api": { target: gateway, changeOrigin: true },
      "/openapi.json": { target: gateway, changeOrigin: true },
    },
  },
});

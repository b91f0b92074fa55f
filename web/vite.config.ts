import { fileURLToPath } from "node:url";

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const components = fileURLToPath(new URL("../clients/react/src", import.meta.url));
const server = process.env["TALLYSTICK_URL"] ?? "http://127.0.0.1:8080";

/** The components are taken from their sources, so that one build makes the whole dashboard. */
export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: [
      { find: "@tallystick/react/styles.css", replacement: `${components}/styles/index.css` },
      { find: "@tallystick/react", replacement: `${components}/index.ts` },
    ],
  },
  build: {
    outDir: "../src/tallystick/web/assets",
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    assetsInlineLimit: 0,
    // The paths of what is loaded first are in the manifest, for the test of its size.
    manifest: "manifest.json",
  },
  server: { proxy: { "/api": { target: server }, "/health": { target: server }, "/docs": { target: server }, "/openapi.json": { target: server } } },
});

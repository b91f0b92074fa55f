import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The package is built as one ES module and one style sheet; what it depends on stays outside. */
export default defineConfig({
  plugins: [react()],
  build: {
    lib: { entry: "src/entry.ts", formats: ["es"], fileName: () => "index.js", cssFileName: "styles" },
    rolldownOptions: { external: [/^react($|\/)/, /^react-dom($|\/)/, /^@tanstack\//, /^@visx\//] },
    sourcemap: true,
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});

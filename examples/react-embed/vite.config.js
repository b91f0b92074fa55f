import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

import { tokenEndpoint } from "./token-endpoint.js";

// One React for the page and the components, also while the package is a link into this repository.
export default defineConfig({ plugins: [react(), tokenEndpoint()], resolve: { dedupe: ["react", "react-dom"] } });

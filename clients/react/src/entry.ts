/** What the package is built from: everything it exports, and its style sheet. */
import "./styles/index.css";

export * from "./index";

export * from "./ui";
export { CopyText } from "./copy-text";

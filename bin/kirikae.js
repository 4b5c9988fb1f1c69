#!/usr/bin/env node
// Plain JavaScript for any Node: it finds a Node that runs the rest, and the source in a checkout or the build elsewhere.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
const isNewEnough = major > 24 || (major === 24 && minor >= 12);

if (isNewEnough) {
  const source = new URL("../src/cli/main.ts", import.meta.url);
  const build = new URL("../dist/cli/main.js", import.meta.url);
  await import(existsSync(source) ? source.href : build.href);
} else {
  runOnBundledNode();
}

function runOnBundledNode() {
  const node = bundledNode();
  if (node === undefined) {
    process.stderr.write(
      `KIR5001 kirikae needs Node 24.12 or newer, and this is ${process.versions.node}.\n` +
        "  Install a newer Node, or run `npm ci` in a checkout, which brings one.\n",
    );
    process.exitCode = 3;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    // A terminal sends SIGINT to both processes; the parent only has to outlive the child.
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
  });
}

function bundledNode() {
  try {
    const path = createRequire(import.meta.url).resolve("node/bin/node");
    return existsSync(path) ? path : undefined;
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

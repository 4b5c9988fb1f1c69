#!/usr/bin/env node
// Plain JavaScript for any Node: it finds a Node that runs the rest, and the source in a checkout or the build elsewhere.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
const isNewEnough = major > 24 || (major === 24 && minor >= 12);

if (isNewEnough) {
  // Before anything of ours is imported, because a module that is loaded earlier is compiled anew by each command.
  module.enableCompileCache();
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
  // A terminal sends its signal to both processes, and the child takes the two for one; this one has to outlive it.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
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

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { summarizeLoad } from "../load/load-summary.ts";
import { type RunningLoad, startLoad } from "../load/start-load.ts";
import { eventually, freePort, Sandbox } from "./product.ts";

const host = "sample.hoge.com";
const app = ["sample-app", "-n", "sample-ns"];

/** Adds a version red and sends the public to it. */
function declareRed(sandbox: Sandbox): void {
  const read = (file: string): string => readFileSync(join(sandbox.manifests, file), "utf8");
  const green = read("local.yaml").split("---\n")[1] ?? "";
  sandbox.write("local.yaml", `${read("local.yaml")}---\n${green.replaceAll("green", "red")}`);
  const mesh = read("mesh.yaml")
    .replace(/(- name: public\n[^#]*?subset: )blue/, "$1red")
    .replace("    - name: green\n", "    - name: red\n      labels:\n        version: red\n    - name: green\n");
  sandbox.write("mesh.yaml", mesh);
}

function load(port: number): Promise<RunningLoad> {
  return startLoad({
    address: `127.0.0.1:${port}`,
    requests: [{ host }],
    requestsPerSecond: 2_000,
    newConnectionShare: 0.1,
    durationMs: 60_000,
  });
}

/** Lets the load go on for a while, and says what it met: failures, the versions in all, and the last one. */
async function whatCame(running: RunningLoad): Promise<{ failures: object; versions: unknown; last: unknown }> {
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { records } = await running.stop();
  const last = records.toSorted((one, other) => one.sentMs - other.sentMs).at(-1);
  const versions = new Set(records.map(({ version }) => version));
  return { failures: summarizeLoad(records).failures, versions, last: last?.version };
}

const allMovedToRed = { failures: {}, versions: new Set(["green", "red"]), last: "red" };

test("a version that a manifest adds and sends everybody to after a switch costs no request", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const up = await sandbox.up({ args: ["--gateway-port", `80=${await freePort()}`] });
  const { port } = await up.gateway();
  await sandbox.cli(["switch", ...app, "--to", "green", "--json"]);
  await using running = await load(port);
  declareRed(sandbox);
  await eventually("the new manifests", async () =>
    up.lines.some(({ event }) => event === "manifestsApplied") ? true : undefined,
  );
  expect(await whatCame(running)).toEqual(allMovedToRed);
});

test("the same across a restart of up costs no request either", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const args = ["--gateway-port", `80=${await freePort()}`];
  const first = await sandbox.up({ args });
  const { port } = await first.gateway();
  await sandbox.cli(["switch", ...app, "--to", "green", "--json"]);
  await using running = await load(port);
  await first.kill();
  declareRed(sandbox);
  await sandbox.up({ args });
  expect(await whatCame(running)).toEqual(allMovedToRed);
});

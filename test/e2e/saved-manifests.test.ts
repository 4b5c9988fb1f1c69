import { readFileSync, renameSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isFailed } from "../load/load-summary.ts";
import { startLoad } from "../load/start-load.ts";
import { eventually, freePort, type RunningUp, Sandbox } from "./product.ts";

const host = "sample.hoge.com";
const app = ["sample-app", "-n", "sample-ns"];

async function start(sandbox: Sandbox): Promise<{ up: RunningUp; address: string }> {
  const up = await sandbox.up({ args: ["--gateway-port", `80=${await freePort()}`] });
  const { port } = await up.gateway();
  return { up, address: `127.0.0.1:${port}` };
}

function edit(sandbox: Sandbox, file: string, change: (text: string) => string): void {
  const before = readFileSync(join(sandbox.manifests, file), "utf8");
  const after = change(before);
  if (after === before) throw new Error(`the edit of ${file} changed nothing`);
  sandbox.write(file, after);
}

function countOf(up: RunningUp, event: string): number {
  return up.lines.filter((line) => line["event"] === event).length;
}

test("a saved manifest goes live without a lost request, and a move stays where it was put", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { up, address } = await start(sandbox);
  await sandbox.cli(["switch", ...app, "--to", "green", "--json"]);
  await using load = await startLoad({
    address,
    requests: [{ host }],
    requestsPerSecond: 1_000,
    durationMs: 60_000,
  });
  edit(sandbox, "mesh.yaml", (text) =>
    text.replace(
      "  http:\n    - name: preview",
      "  http:\n    - name: teapot\n      match:\n        - uri:\n            exact: /teapot\n      directResponse:\n        status: 418\n    - name: preview",
    ),
  );
  await eventually("the new rule", async () => (countOf(up, "manifestsApplied") > 0 ? true : undefined));
  const { records } = await load.stop();
  expect(records.filter(isFailed)).toEqual([]);
  expect(new Set(records.map((record) => record.version))).toEqual(new Set(["green"]));
  expect(await raw(address, "/teapot")).toBe(418);
});

test("a broken manifest changes nothing and is reported with file, line and column", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { up, address } = await start(sandbox);
  edit(sandbox, "mesh.yaml", (text) => text.replace("subset: green", "subsets: gren"));
  await eventually("the refusal", async () => (countOf(up, "manifestsRefused") > 0 ? true : undefined));
  const refusal = JSON.stringify(up.lines.find((line) => line["event"] === "manifestsRefused"));
  expect(refusal).toMatch(/mesh\.yaml/);
  expect(refusal).toContain("destination.subsets");
  expect(refusal).toMatch(/"line":\d+,"column":\d+/);
  expect(await raw(address, "/", { "x-version": "green" })).toBe(200);
  const status = await sandbox.cli(["status", "--json"]);
  expect(status.stdout).toContain("destination.subsets");
});

test("a manifest that is away for a moment ends no traffic and no move", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { up, address } = await start(sandbox);
  await sandbox.cli(["switch", ...app, "--to", "green", "--json"]);
  const file = join(sandbox.manifests, "mesh.yaml");
  renameSync(file, `${file}.away`);
  await eventually("the refusal", async () => (countOf(up, "manifestsRefused") > 0 ? true : undefined));
  expect(await color(address)).toBe("green");
  renameSync(`${file}.away`, file);
  await eventually("the folder whole again", async () => {
    const { stdout } = await sandbox.cli(["status", "--json"]);
    return (JSON.parse(stdout) as { refusedManifests: readonly string[] }).refusedManifests.length === 0
      ? true
      : undefined;
  });
  expect(await color(address)).toBe("green");
});

test("an edit of the declared weights takes the place of an earlier move and is in the history", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { up, address } = await start(sandbox);
  await sandbox.cli(["shift", ...app, "--to", "green=10", "--json"]);
  edit(sandbox, "mesh.yaml", (text) =>
    text.replace(/(- name: public\n\s+route:\n\s+- destination:\n\s+host: sample-app\n\s+subset: )blue/, "$1green"),
  );
  await eventually("the new weights", async () => (countOf(up, "manifestsApplied") > 0 ? true : undefined));
  await eventually("green for everybody", async () => {
    const colors = await Promise.all(Array.from({ length: 20 }, () => color(address)));
    return colors.every((each) => each === "green") ? true : undefined;
  });
  const history = await sandbox.cli(["history", "--json"]);
  expect(history.stdout).toContain('"manifest"');
});

test("a workload whose command changes is replaced without a lost request", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const { up, address } = await start(sandbox);
  await using load = await startLoad({
    address,
    requests: [{ host }],
    requestsPerSecond: 500,
    newConnectionShare: 0.2,
    durationMs: 60_000,
  });
  edit(sandbox, "local.yaml", (text) => text.replace("COLOR: blue", "COLOR: azure"));
  await eventually("the new replicas", async () => (countOf(up, "manifestsApplied") > 0 ? true : undefined));
  await eventually("azure", async () => ((await color(address)) === "azure" ? true : undefined));
  const { records } = await load.stop();
  expect(records.filter(isFailed)).toEqual([]);
});

async function raw(address: string, path: string, headers: Record<string, string> = {}): Promise<number> {
  return (await send(address, path, headers)).status;
}

async function color(address: string): Promise<string | undefined> {
  return (await send(address, "/", {})).color;
}

/** `fetch` does not let a caller choose the Host header. */
async function send(
  address: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; color: string | undefined }> {
  const [hostname = "", port] = address.split(":");
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, agent: false, headers: { host, ...headers } }, (response) => {
      response.resume();
      const found = response.headers["x-color"];
      resolve({ status: response.statusCode ?? 0, color: typeof found === "string" ? found : undefined });
    });
    sent.on("error", reject);
    sent.end();
  });
}

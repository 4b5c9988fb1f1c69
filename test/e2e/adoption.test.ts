import { expect, test } from "vitest";
import { isFailed, summarizeLoad } from "../load/load-summary.ts";
import { startLoad } from "../load/start-load.ts";
import { eventually, freePort, Sandbox } from "./product.ts";

const host = "sample.hoge.com";
const app = ["sample-app", "-n", "sample-ns"];

interface StatusJson {
  readonly services: readonly { readonly virtualService: string; readonly live: string | undefined }[];
  readonly proxies: readonly { readonly pid: number | undefined; readonly connected: boolean }[];
}

async function status(sandbox: Sandbox): Promise<StatusJson> {
  const { stdout, stderr } = await sandbox.cli(["status", "--json"]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as StatusJson;
}

test("Envoy serves on while kirikae is dead, and the next up adopts it without a lost request", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const args = ["--gateway-port", `80=${await freePort()}`];
  const first = await sandbox.up({ args });
  const { port } = await first.gateway();
  await sandbox.cli(["switch", ...app, "--to", "green", "--json"]);
  const envoyPid = (await status(sandbox)).proxies[0]?.pid;
  await using load = await startLoad({
    address: `127.0.0.1:${port}`,
    requests: [{ host }],
    requestsPerSecond: 1_000,
    newConnectionShare: 0.1,
    durationMs: 60_000,
  });
  await first.kill();
  await sandbox.up({ args });
  const after = await status(sandbox);
  expect(after.proxies).toMatchObject([{ pid: envoyPid, connected: true }]);
  expect(after.services[0]?.live).toBe("green");
  const back = await sandbox.cli(["rollback", ...app, "--json"]);
  expect(back, back.stderr).toMatchObject({ exitCode: 0 });
  const { records } = await load.stop();
  expect(summarizeLoad(records).failures).toEqual({});
  expect(records.filter(isFailed)).toEqual([]);
  const last = records.toSorted((one, other) => one.sentMs - other.sentMs).at(-1);
  expect(last?.version).toBe("blue");
});

test("an Envoy that is killed comes back with the weights of the last move", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const up = await sandbox.up({ args: ["--gateway-port", `80=${await freePort()}`] });
  const { port } = await up.gateway();
  await sandbox.cli(["switch", ...app, "--to", "green", "--json"]);
  const pid = (await status(sandbox)).proxies[0]?.pid;
  if (pid === undefined) throw new Error("the status names no pid of Envoy");
  process.kill(pid, "SIGKILL");
  await eventually("a new Envoy", async () => {
    const proxy = (await status(sandbox)).proxies[0];
    return proxy?.connected === true && proxy.pid !== undefined && proxy.pid !== pid ? true : undefined;
  });
  await using load = await startLoad({
    address: `127.0.0.1:${port}`,
    requests: [{ host }],
    requestsPerSecond: 200,
    durationMs: 1_000,
  });
  const { records } = await load.result;
  expect(new Set(records.map((record) => record.version))).toEqual(new Set(["green"]));
});

test("Ctrl-C stops Envoy and the workloads", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const up = await sandbox.up({ args: ["--gateway-port", `80=${await freePort()}`] });
  const before = await status(sandbox);
  const { stdout } = await sandbox.cli(["status", "--json"]);
  const pids = [...stdout.matchAll(/"pid": ?(?<pid>\d+)/g)].map((found) => Number(found.groups?.["pid"]));
  expect(pids).toHaveLength(5);
  expect(before.proxies).toHaveLength(1);
  expect(await up.stop()).toBe(0);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});

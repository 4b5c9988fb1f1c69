import { readFileSync } from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, freePort, Sandbox } from "./product.ts";

const host = "sample.hoge.com";
const slowMs = 8_000;

interface Answer {
  readonly status: number | undefined;
  readonly color: unknown;
  readonly tookMs: number;
}

test("a request that runs while its replica is replaced comes to its end, and no move waits for it", async () => {
  await using sandbox = new Sandbox({ copyOf: "examples/blue-green" });
  const up = await sandbox.up({ args: ["--gateway-port", `80=${await freePort()}`] });
  const { port } = await up.gateway();
  const before = await workloadPids(sandbox);
  const startMs = performance.now();
  const slow = send(port, `/slow?ms=${slowMs}`);
  slow.catch(() => undefined);
  const local = readFileSync(join(sandbox.manifests, "local.yaml"), "utf8");
  sandbox.write("local.yaml", local.replace("COLOR: blue", "COLOR: azure"));
  await eventually("the new replicas", async () =>
    up.lines.some(({ event }) => event === "manifestsApplied") ? true : undefined,
  );
  expect(await send(port, "/")).toMatchObject({ status: 200, color: "azure" });
  const move = await sandbox.cli(["switch", "sample-app", "-n", "sample-ns", "--to", "green", "--json"]);
  expect(move, move.stderr).toMatchObject({ exitCode: 0 });
  expect(performance.now() - startMs).toBeLessThan(slowMs);
  const answer = await slow;
  expect(answer).toMatchObject({ status: 200, color: "blue" });
  expect(answer.tookMs).toBeGreaterThanOrEqual(slowMs);
  await eventually("the end of the old replicas", async () => {
    const gone = before.filter((pid) => !isRunning(pid));
    return gone.length === 2 ? true : undefined;
  });
});

async function workloadPids(sandbox: Sandbox): Promise<readonly number[]> {
  const { stdout } = await sandbox.cli(["status", "--json"]);
  const { workloads } = JSON.parse(stdout) as {
    workloads: readonly { replicas: readonly { pid: number }[] }[];
  };
  return workloads.flatMap(({ replicas }) => replicas.map(({ pid }) => pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function send(port: number, path: string): Promise<Answer> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const sent = get({ host: "127.0.0.1", port, path, agent: false, headers: { host } }, (response) => {
      response.resume();
      const { statusCode: status } = response;
      response.on("end", () =>
        resolve({ status, color: response.headers["x-color"], tookMs: performance.now() - startMs }),
      );
    });
    sent.on("error", reject);
  });
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clockFrom, readClock } from "../load/load-clock.ts";
import { countAnswers, isFailed } from "../load/load-summary.ts";
import { startLoad } from "../load/start-load.ts";
import { eventually, type RunningUp, Sandbox } from "./product.ts";

// Scenario C as its team had it: no gateway, callers inside the mesh, and curl from a pod many times.

const service = "http://istio-service/";
const client = "istio-canary/client";

interface Counts {
  readonly via: "sidecar" | "direct";
  readonly requests: number;
  readonly answers: readonly { readonly count: number; readonly status: number; readonly answer: string }[];
}

/** Both examples: the canary's app is the one of blue-green. */
function sandboxOf(change: (mesh: string) => string = (mesh) => mesh): Sandbox {
  const sandbox = new Sandbox({ copyOf: "examples" });
  const file = join(sandbox.manifests, "canary", "mesh.yaml");
  sandbox.write("canary/mesh.yaml", change(readFileSync(file, "utf8")));
  return sandbox;
}

async function startCanary(sandbox: Sandbox): Promise<RunningUp> {
  return await sandbox.up({ folder: join(sandbox.manifests, "canary") });
}

async function count(sandbox: Sandbox, from: string, url = service): Promise<Readonly<Record<string, number>>> {
  const result = await sandbox.cli(["curl", "--from", from, url, "-n", "1000", "--json"]);
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  const counts = JSON.parse(result.stdout) as Counts;
  expect(counts.answers.filter(({ status }) => status !== 200)).toEqual([]);
  return Object.fromEntries(counts.answers.map(({ answer, count: times }) => [answer, times]));
}

function isEven(counts: Readonly<Record<string, number>>): boolean {
  const { "version1 server": one = 0, "version2 server": two = 0 } = counts;
  // Six standard deviations of 1,000 fair draws are 95.
  return one + two === 1000 && Math.abs(one - two) < 190;
}

test("v1 alone, then subset v2 is added, then 50/50: curl from a pod counts what the rules say", async () => {
  const subset = "\n    - name: v2\n      labels:\n        istio-test-version: v2";
  const arm = "\n        - destination:\n            host: istio-service\n            subset: v2\n          weight: 0";
  await using sandbox = sandboxOf((mesh) => mesh.replace(subset, "").replace(arm, ""));
  await startCanary(sandbox);
  expect(await count(sandbox, client)).toEqual({ "version1 server": 1000 });

  const mesh = readFileSync(join(sandbox.manifests, "canary", "mesh.yaml"), "utf8");
  sandbox.write(
    "canary/mesh.yaml",
    mesh.replace("istio-test-version: v1\n---", `istio-test-version: v1${subset}\n---`),
  );
  await eventually("subset v2 to be a version", async () => {
    const { stdout } = await sandbox.cli(["status", "--json"]);
    return stdout.includes('"v2"') ? true : undefined;
  });
  expect(await count(sandbox, client)).toEqual({ "version1 server": 1000 });

  const shifted = await sandbox.cli(["shift", "istio-service", "--to", "v2=50", "--json"]);
  expect(shifted, shifted.stderr).toMatchObject({ exitCode: 0 });
  expect(await count(sandbox, client)).toSatisfy(isEven);
  for (const name of ["istio-service.istio-canary", "istio-service.istio-canary.svc.cluster.local:80"]) {
    expect(await count(sandbox, client, `http://${name}/`)).toSatisfy(isEven);
  }
});

test("moves under a load from inside the mesh lose nothing, and no old answer follows done", async () => {
  await using sandbox = sandboxOf();
  await startCanary(sandbox);
  const { stdout } = await sandbox.cli(["status", "--json"]);
  const status = JSON.parse(stdout) as { callers: { workload: string; proxy: string | null }[] };
  const address = status.callers.find(({ workload }) => workload === client)?.proxy ?? "";
  const now = clockFrom(readClock());
  await using load = await startLoad({
    address,
    requests: [{ host: "istio-service" }],
    durationMs: 60_000,
    newConnectionShare: 0.05,
  });
  const moves: { old: string; doneMs: number; nextCallMs: number }[] = [];
  for (let round = 0; round < 6; round += 1) {
    const to = round % 2 === 0 ? "v2" : "v1";
    const callMs = now();
    const last = moves.at(-1);
    if (last !== undefined) last.nextCallMs = callMs;
    const result = await sandbox.cli(["switch", "istio-service", "--to", to, "--json"]);
    const doneMs = now();
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    const { ledger } = JSON.parse(result.stdout) as {
      ledger: { requests: number; failed: number; oldAfterDone: number };
    };
    expect(ledger).toMatchObject({ failed: 0, oldAfterDone: 0 });
    expect(ledger.requests).toBeGreaterThan(0);
    moves.push({ old: to === "v2" ? "version1 server" : "version2 server", doneMs, nextCallMs: Infinity });
  }
  const { records } = await load.stop();
  expect(records.filter(isFailed)).toEqual([]);
  for (const move of moves) {
    const until = records.filter((record) => record.sentMs < move.nextCallMs);
    expect(countAnswers(until, move.old, move.doneMs)).toBe(0);
  }
}, 120_000);

test("a caller without a sidecar is told that no rule applies to it, and meets both versions", async () => {
  await using sandbox = sandboxOf();
  await startCanary(sandbox);
  const result = await sandbox.cli([
    "curl",
    "--from",
    "istio-canary/client-without-sidecar",
    service,
    "-n",
    "100",
    "--json",
  ]);
  expect(result.exitCode).toBe(0);
  expect(result.stderr).toContain("no rule of the mesh applies");
  expect(result.stderr).toContain('sidecar.istio.io/inject: "false"');
  const counts = JSON.parse(result.stdout) as Counts;
  expect(counts.via).toBe("direct");
  expect(counts.answers.map(({ count: times }) => times)).toEqual([50, 50]);

  const unknown = await sandbox.cli(["curl", "--from", "istio-canary/nobody", service]);
  expect(unknown).toMatchObject({ exitCode: 2, stdout: "" });
  expect(unknown.stderr).toContain("istio-canary/client, istio-canary/client-without-sidecar");
});

test("a process with a sidecar finds the mesh by HTTP_PROXY and by the variables of Kubernetes, also after a restart", async () => {
  await using sandbox = sandboxOf();
  const app = `
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: asker, namespace: istio-canary }
spec:
  labels: { app: asker }
  command: [node, asker.js]
`;
  sandbox.write("canary/asker.yaml", app);
  sandbox.write("canary/asker.js", asker);
  const up = await startCanary(sandbox);
  const ask = async () =>
    await sandbox.cli(["curl", "--from", "istio-canary/client", await askerUrl(sandbox), "--json"]);
  const first = JSON.parse((await ask()).stdout) as { body: string };
  expect(JSON.parse(first.body)).toMatchObject({ proxied: "version1 server\n", direct: "version1 server\n" });

  await up.kill();
  await startCanary(sandbox);
  const second = JSON.parse((await ask()).stdout) as { body: string };
  expect(JSON.parse(second.body)).toMatchObject({ proxied: "version1 server\n", direct: "version1 server\n" });
  expect(pidOf(second.body)).toBe(pidOf(first.body));
});

function pidOf(body: string): number {
  return (JSON.parse(body) as { pid: number }).pid;
}

/** Asks the service in both ways that a program knows. */
const asker = `
import { createServer, get } from "node:http";
const read = (url) => new Promise((resolve, reject) => get(url, async (answer) => {
  let body = "";
  for await (const chunk of answer) body += chunk;
  resolve(body);
}).on("error", reject));
const { PORT, ISTIO_SERVICE_SERVICE_HOST: host, ISTIO_SERVICE_SERVICE_PORT: port } = process.env;
createServer(async (request, response) => {
  const proxied = await read("http://istio-service/").catch(String);
  const direct = await read("http://" + host + ":" + port + "/").catch(String);
  response.end(JSON.stringify({ proxied, direct, pid: process.pid }));
}).listen(Number(PORT), "127.0.0.1");
`;

async function askerUrl(sandbox: Sandbox): Promise<string> {
  const { stdout } = await sandbox.cli(["status", "--json"]);
  const { workloads } = JSON.parse(stdout) as { workloads: { name: string; replicas: { address: string }[] }[] };
  return `http://${workloads.find(({ name }) => name === "istio-canary/asker")?.replicas[0]?.address ?? ""}/`;
}

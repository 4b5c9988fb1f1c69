import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HistoryEntry, ReleaseStatus } from "../../src/api/types.ts";
import type { ReleaseEvent } from "../../src/core/release/state/release-state.ts";
import { faultyApp } from "../../test/crash/faulty-app.ts";
import { SampleMesh } from "../../test/crash/sample-mesh.ts";
import { eventually } from "../../test/e2e/product.ts";
import { isFailed } from "../../test/load/load-summary.ts";
import { renderCount, renderMs, renderTable } from "../markdown.ts";
import { spreadOf } from "../measure-switches.ts";
import type { EngineSize } from "./engine-size.ts";

interface Rollback {
  /** From the first bad answer that a visitor got until the last answer of the bad version. */
  readonly badToBackMs: number;
  /** From the first bad answer until the check's verdict. */
  readonly badToVerdictMs: number;
  /** From the verdict until the proxy's ACK, and until every worker was seen to send nobody there. */
  readonly verdictToAckMs: number;
  readonly verdictToProofMs: number;
  readonly badAnswers: number;
}

const release = `
apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: to-green, namespace: sample-ns }
spec:
  routes: [{ virtualService: sample-app }]
  to: green
  strategy: { steps: [{ weight: 20 }, { check: { duration: 5m, minRequests: 20 } }] }
`;

/** On the real Envoy under load: green serves a fifth of the visitors well, and then answers 500. */
export async function benchRollbacks(size: EngineSize): Promise<string> {
  const { rollbacks } = size;
  await using mesh = await SampleMesh.create();
  mesh.sandbox.write("server.js", faultyApp);
  await mesh.sandbox.up({ args: mesh.args });
  const file = join(mesh.sandbox.root, "release.yaml");
  writeFileSync(file, release);
  const measured: Rollback[] = [];
  for (let count = 1; count <= rollbacks; count += 1) {
    size.report(`rollback ${count} of ${rollbacks}`);
    measured.push(await measure(mesh, file));
  }
  type Pick = (rollback: Rollback) => number;
  const row = (name: string, pick: Pick, render: (value: number) => string = renderMs): string[] => {
    const { median, p99, max } = spreadOf(measured.map(pick));
    return [name, render(median), render(p99), render(max)];
  };
  const note =
    `${rollbacks} releases, each with 250 requests of visitors a second, a fifth of them to the new version, which begins ` +
    "to answer 500 while a check looks once a second. In ms.";
  const table = renderTable(
    ["", "median", "p99", "highest"],
    [
      row("first bad answer until no visitor is sent there", ({ badToBackMs }) => badToBackMs),
      row("of it until the verdict", ({ badToVerdictMs }) => badToVerdictMs),
      row("of it from the verdict until the proxy's ACK", ({ verdictToAckMs }) => verdictToAckMs),
      row("and until all its workers are proved", ({ verdictToProofMs }) => verdictToProofMs),
      row("bad answers that visitors got", ({ badAnswers }) => badAnswers, renderCount),
    ],
  );
  return `${note}\n\n${table}`;
}

async function measure(mesh: SampleMesh, file: string): Promise<Rollback> {
  const fault = join(mesh.sandbox.manifests, "fault-green");
  await using load = await mesh.load();
  await mesh.sandbox.cli(["start", file, "--json"]);
  await eventually("the check", async () => ((await newest(mesh)).phase === "checking" ? true : undefined));
  writeFileSync(fault, "error");
  const ended = await eventually("the end", async () => {
    const status = await newest(mesh);
    return status.phase === "rolledBack" ? status : undefined;
  });
  rmSync(fault);
  const { records } = await load.stop();
  const visitors = records.filter(({ request }) => request === 0);
  const bad = visitors.filter(isFailed);
  const firstBadMs = Math.min(...bad.map(({ doneMs }) => doneMs));
  const lastGreenMs = Math.max(...visitors.filter(({ version }) => version === "green").map(({ doneMs }) => doneMs));
  const verdictMs = ended.events.findLast(({ kind }) => kind === "judged")?.atMs ?? Number.NaN;
  const proof = await proofOf(mesh, ended.events);
  return {
    badToBackMs: lastGreenMs - firstBadMs,
    badToVerdictMs: verdictMs - firstBadMs,
    verdictToAckMs: proof.atMs - proof.workersMs + proof.ackMs - verdictMs,
    verdictToProofMs: proof.atMs - verdictMs,
    badAnswers: bad.length,
  };
}

/** When the way back was proved, and the last part of that. */
async function proofOf(
  mesh: SampleMesh,
  events: readonly ReleaseEvent[],
): Promise<{ readonly atMs: number; readonly ackMs: number; readonly workersMs: number }> {
  const moved = events.findLast(({ kind }) => kind === "moved");
  const id = moved !== undefined && "move" in moved ? moved.move : undefined;
  const entry: HistoryEntry | undefined = (await mesh.history()).find((each) => each.id === id);
  const [proxy] = entry?.proof?.proxies ?? [];
  if (entry?.proof?.provedAt === undefined || proxy === undefined) throw new Error("The way back was not proved.");
  return { atMs: Date.parse(entry.proof.provedAt), ackMs: proxy.ackMs, workersMs: proxy.workersMs };
}

async function newest(mesh: SampleMesh): Promise<ReleaseStatus> {
  const { stdout, stderr } = await mesh.sandbox.cli(["list", "to-green", "--json"]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

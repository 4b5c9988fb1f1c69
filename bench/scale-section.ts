import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Backends } from "./backends.ts";
import type { BenchSize } from "./bench-size.ts";
import { probeEnvoy } from "./envoy-figures.ts";
import type { Color } from "./front.ts";
import { startKirikae } from "./fronts/kirikae.ts";
import { residentBytes } from "./fronts/up-process.ts";
import { renderCount, renderMegabytes, renderMs, renderTable } from "./markdown.ts";
import { spreadOf } from "./measure-switches.ts";
import { epochNowMs } from "../test/load/load-clock.ts";
import { startLoad } from "../test/load/start-load.ts";
import { summarizeLoad } from "../test/load/load-summary.ts";
import { benchHost } from "./front.ts";

const header = [
  "VirtualServices",
  "ready after",
  "call until proof, median",
  "p99",
  "highest",
  "request until told, median",
  "bytes to Envoy per switch, median",
  "highest",
  "failed / requests",
  "kirikae RSS",
  "Envoy RSS",
];

/** One VirtualService is switched; the others only have to be there. */
export async function benchScale(backends: Backends, folder: string, size: BenchSize): Promise<string> {
  const rows: (readonly string[])[] = [];
  for (const virtualServices of size.meshSizes) {
    size.report(`kirikae among ${virtualServices} VirtualServices: ${size.switchesPerMeshSize} switches`);
    rows.push(await measureMesh(virtualServices, { backends, folder, size }));
  }
  return `${size.switchesPerMeshSize} switches at each size, under 300 requests/s. Proof is Envoy's ACK and every worker thread seen to use
the new weights, in ms as kirikae reports it; "request until told" adds the plan, the preflight and the journal. Bytes are what Envoy received from the control plane from the call
until the move was over.

${renderTable(header, rows)}`;
}

interface MeshPlace {
  readonly backends: Backends;
  readonly folder: string;
  readonly size: BenchSize;
}

async function measureMesh(virtualServices: number, { backends, folder, size }: MeshPlace): Promise<readonly string[]> {
  const own = join(folder, `scale-${virtualServices}`);
  await mkdir(own);
  await using running = await startKirikae(backends, own, { others: virtualServices - 1 });
  const envoyPid = (await running.client.status()).proxies[0]?.pid ?? 0;
  const envoy = await probeEnvoy(join(own, "state"), envoyPid);
  await using load = await startLoad({
    address: running.address,
    requests: [{ host: benchHost }],
    requestsPerSecond: 300,
    connections: 16,
    durationMs: 25 * 60_000,
  });
  const proofs: number[] = [];
  const told: number[] = [];
  const bytes: number[] = [];
  for (let count = 0; count < size.switchesPerMeshSize; count++) {
    const color: Color = count % 2 === 0 ? "green" : "blue";
    const before = await envoy.receivedBytes();
    const askedMs = epochNowMs();
    const call = await running.switchTo(color);
    await call.settled;
    told.push(call.doneMs - askedMs);
    proofs.push(call.proofMs ?? Number.NaN);
    bytes.push((await envoy.receivedBytes()) - before);
    await delay(50);
  }
  const memory = { kirikae: await residentBytes(running.up.pid), envoy: await residentBytes(envoyPid) };
  const summary = summarizeLoad((await load.stop()).records);
  const proof = spreadOf(proofs);
  const sent = spreadOf(bytes);
  return [
    renderCount(virtualServices),
    `${(running.up.startedInMs / 1_000).toFixed(1)} s`,
    renderMs(proof.median),
    renderMs(proof.p99),
    renderMs(proof.max),
    renderMs(spreadOf(told).median),
    renderCount(sent.median),
    renderCount(sent.max),
    `${renderCount(summary.failed)} / ${renderCount(summary.requests)}`,
    renderMegabytes(memory.kirikae),
    renderMegabytes(memory.envoy),
  ];
}

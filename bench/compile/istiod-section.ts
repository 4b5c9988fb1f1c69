import { setTimeout as delay } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { findEnvoy } from "../../src/local/envoy-binary.ts";
import { Cluster } from "../../test/cluster/cluster.ts";
import { findBuilt, findEtcd } from "../../test/cluster/go-program.ts";
import type { IstioProxy } from "../../test/cluster/istio-proxy.ts";
import type { KubeObject } from "../../test/cluster/kube-client.ts";
import { renderCount, renderMs, renderTable } from "../markdown.ts";
import { spreadOf } from "../measure-switches.ts";
import type { CompileSize } from "./compile-size.ts";
import { type MeshShape, meshNamespace, meshTexts, virtualServiceSource } from "./mesh-texts.ts";

/** The same manifests as objects of a real API server, with a real istiod and an Envoy that takes all from it. */
export async function benchIstiod(size: CompileSize): Promise<string> {
  const { env } = process;
  const [istiod, apiserver, etcd] = [
    await findBuilt("istiod", env),
    await findBuilt("apiserver", env),
    await findEtcd(env),
  ];
  if (istiod === undefined || apiserver === undefined || etcd === undefined) {
    return "Left out: etcd, istiod or the API server is not here; `npm run cluster:build` builds the latter two.";
  }
  const envoy = await findEnvoy({ env, onProgress: (message) => size.report(message) });
  const rows: (readonly string[])[] = [];
  for (const virtualServices of size.istiodSizes) {
    size.report(`istiod with ${renderCount(virtualServices)} VirtualServices`);
    await using cluster = await Cluster.start({ istiod, apiserver, etcd, envoy: envoy.path });
    rows.push(await measureCluster(cluster, { virtualServices, wildcardEvery: 0 }, size));
  }
  const header = ["VirtualServices", "API until ACK, median", "p99", "bytes to Envoy, median", "highest"];
  return `Exact hosts; rules of one VirtualService, replaced through the API. istiod waits 100 ms for more changes first.

${renderTable(header, rows)}`;
}

async function measureCluster(
  cluster: Cluster,
  shape: MeshShape,
  { istiodChanges }: CompileSize,
): Promise<readonly string[]> {
  const { client } = cluster;
  await client.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: meshNamespace } });
  const objects = meshTexts(shape, { blue: 9, green: 10 }).flatMap(({ text }) => parseObjects(text));
  await createAll(objects, async (object) => void (await client.create(object)));
  const gateway = await cluster.startGateway();
  await settled(gateway);
  const times: number[] = [];
  const bytes: number[] = [];
  for (let round = 0; round < istiodChanges; round += 1) {
    const { text } = virtualServiceSource(shape, (round * 37) % shape.virtualServices, { changed: `round-${round}` });
    const [object] = parseObjects(text);
    if (object === undefined) continue;
    const before = await readCounters(gateway);
    const startMs = performance.now();
    await client.apply(object);
    await until(async () => (await readCounters(gateway)).routeUpdates > before.routeUpdates);
    times.push(performance.now() - startMs);
    await settled(gateway);
    bytes.push((await readCounters(gateway)).receivedBytes - before.receivedBytes);
  }
  const [time, sent] = [spreadOf(times), spreadOf(bytes)];
  return [
    renderCount(shape.virtualServices),
    renderMs(time.median),
    renderMs(time.p99),
    renderCount(sent.median),
    renderCount(sent.max),
  ];
}

function parseObjects(text: string): readonly KubeObject[] {
  return parseAllDocuments(text).map((document): KubeObject => document.toJS());
}

const atOnce = 8;

async function createAll(objects: readonly KubeObject[], create: (object: KubeObject) => Promise<void>): Promise<void> {
  const waiting = objects.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const object of waiting) await create(object);
    }),
  );
}

interface Counters {
  readonly routeUpdates: number;
  readonly receivedBytes: number;
}

/** Envoy counts an update when it has taken it, which is when it says ACK. */
async function readCounters({ admin }: IstioProxy): Promise<Counters> {
  const stats = await admin.stats("(\\.rds\\..*\\.update_success|xds-grpc\\.upstream_cx_rx_bytes_total)$", {
    usedOnly: true,
  });
  let routeUpdates = 0;
  let receivedBytes = 0;
  for (const [name, value] of stats) {
    if (name.endsWith(".update_success")) routeUpdates += value;
    else receivedBytes += value;
  }
  return { routeUpdates, receivedBytes };
}

/** Nothing has come for a second. */
async function settled(gateway: IstioProxy): Promise<void> {
  let seen = -1;
  for (;;) {
    const { receivedBytes, routeUpdates } = await readCounters(gateway);
    if (receivedBytes === seen && routeUpdates > 0) return;
    seen = receivedBytes;
    await delay(1_000);
  }
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 120_000;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error("Envoy was told nothing new by istiod.");
    await delay(2);
  }
}

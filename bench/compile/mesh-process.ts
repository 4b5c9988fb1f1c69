// One mesh of `npm run bench:compile`, measured in a process of its own, so that its memory is its own. Prints JSON.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { checkMesh } from "../../src/core/mesh/check-mesh.ts";
import { explain } from "../../src/core/routes/explain.ts";
import { CompiledMesh, type MeasuredChange } from "./compiled-mesh.ts";
import type { ChangeKind, MeshMeasurement } from "./mesh-measurement.ts";
import {
  destinationRuleText,
  hostOf,
  isWildcardAt,
  type MeshShape,
  meshTexts,
  serviceText,
  virtualServiceSource,
} from "./mesh-texts.ts";

const { values } = parseArgs({
  options: { size: { type: "string" }, wildcards: { type: "string" }, changes: { type: "string" } },
});
const shape: MeshShape = { virtualServices: Number(values.size), wildcardEvery: Number(values.wildcards) };
const rounds = Number(values.changes);
const explained = 100_000;

/** Nobody answers there; nobody is asked. */
const ports = { blue: 9, green: 10 };

await using mesh = await CompiledMesh.open(meshTexts(shape, ports));
const buildMs = mesh.buildCold();
const readyMs = await mesh.serveCold();
const changes = await measureChanges();
const rest = { ...(await measureMemory()), checkMs: measureCheck(), explainsPerSecond: measureExplains() };
const measurement: MeshMeasurement = { ...shape, buildMs, readyMs, changes, ...rest };
process.stdout.write(`${JSON.stringify(measurement)}\n`);

async function measureChanges(): Promise<MeshMeasurement["changes"]> {
  const changeOne = (index: number, state: string): Promise<MeasuredChange> => {
    const { path, text } = virtualServiceSource(shape, index, { changed: state });
    return mesh.change(new Map([[path, text]]));
  };
  const { virtualServices: count, wildcardEvery } = shape;
  // The first changes find out where everything is, and run code that was not compiled yet; `up` has that behind it too.
  for (let round = 0; round < Math.min(rounds, 10); round += 1) await changeOne(round, `warm-${round}`);
  const few = Math.max(3, Math.ceil(rounds / 20));
  const all: [ChangeKind, readonly MeasuredChange[]][] = [
    ["rules of an exact host", await repeat(rounds, (round) => changeOne(exactAt(round * 37), `change-${round}`))],
  ];
  if (wildcardEvery > 0) {
    const wildcards = Math.floor(count / wildcardEvery);
    const at = (round: number): number => (((round * 7) % wildcards) + 1) * wildcardEvery - 1;
    all.push(["rules of a wildcard host", await repeat(rounds, (round) => changeOne(at(round), `change-${round}`))]);
  }
  all.push(["a VirtualService added", await repeat(few, (round) => changeOne(count + exactAt(round), "green"))]);
  all.push([
    "a VirtualService removed",
    await repeat(few, (round) => mesh.change(new Map([[`app-${count + exactAt(round)}.yaml`, undefined]]))),
  ]);
  all.push([
    "a DestinationRule's policy",
    await repeat(few, (round) =>
      mesh.change(new Map([[`rule-${round}.yaml`, destinationRuleText(round, { maxRequests: 500 + round })]])),
    ),
  ]);
  all.push([
    "endpoints of a service",
    await repeat(few, (round) =>
      mesh.change(new Map([[`service-${round}.yaml`, serviceText(round, { ...ports, blue: 11 })]])),
    ),
  ]);
  return all;
}

/** The next VirtualService without a wildcard; of those that there are, or of as many more. */
function exactAt(index: number): number {
  const at = index % shape.virtualServices;
  return isWildcardAt(shape, at) ? at - 1 : at;
}

async function repeat(
  times: number,
  change: (round: number) => Promise<MeasuredChange>,
): Promise<readonly MeasuredChange[]> {
  const measured: MeasuredChange[] = [];
  for (let round = 0; round < times; round += 1) measured.push(await change(round));
  return measured;
}

async function measureMemory(): Promise<Pick<MeshMeasurement, "rssBytes" | "heapBytes" | "envoyRssBytes">> {
  const { rss, heapUsed } = process.memoryUsage();
  const status = await readFile(`/proc/${mesh.fixture.pid() ?? 0}/status`, "utf8").catch(() => "");
  const envoyRssBytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1_024;
  return { rssBytes: rss, heapBytes: heapUsed, envoyRssBytes };
}

function measureCheck(): number {
  const startMs = performance.now();
  checkMesh(mesh.model.mesh);
  return performance.now() - startMs;
}

function measureExplains(): number {
  const { table } = mesh.model;
  const options = { endpoints: () => [] };
  const startMs = performance.now();
  for (let count = 0; count < explained; count += 1) {
    const host = hostOf(shape, count % shape.virtualServices).replace("*", "one");
    const target = count % 2 === 0 ? "/api/v1/things" : "/search/cats?q=all";
    explain(table, { port: 80, scheme: "http", authority: host, method: "GET", target, headers: [] }, options);
  }
  return (explained * 1_000) / (performance.now() - startMs);
}

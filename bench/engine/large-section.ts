import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { renderCount, renderMegabytes, renderMs, renderTable } from "../markdown.ts";
import { spreadOf } from "../measure-switches.ts";
import type { EngineSize } from "./engine-size.ts";
import { LargeMesh } from "./large-mesh.ts";

/** What a release has as its first step, and then nothing until somebody says so. */
const firstSteps = [
  {
    name: "preview",
    spec: "strategy: {steps: [{preview: {name: staff, match: [{headers: {x-staff: '1'}}]}}, {hold: {}}]}",
  },
  { name: "mirror", spec: "strategy: {steps: [{mirror: {percent: 1}}, {hold: {}}]}" },
  { name: "session affinity", spec: "sessionAffinity: {}\n  strategy: {steps: [{hold: {}}, {weight: 30}]}" },
  { name: "weight", spec: "strategy: {steps: [{weight: 30}, {hold: {}}]}" },
] as const;

const checking = "strategy: {steps: [{weight: 20}, {check: {duration: 1h, minRequests: 1, successRate: {min: 50}}}]}";

/** Releases on the real Envoy among many VirtualServices: each alone, then many together. */
export async function benchLarge(size: EngineSize): Promise<string> {
  const { virtualServices, releases } = size.large;
  size.report(`releases among ${virtualServices} VirtualServices`);
  await using mesh = await LargeMesh.create(join(size.folder, "large"), virtualServices);
  const restBytes = await mesh.residentBytes();
  const restPercent = await cpuPercent(mesh);
  const steps = await measureSteps(mesh, size);
  const alone = await measureSwitches(mesh, { until: delay(5_000) });
  size.report(`${releases} releases at once`);
  const beganMs = performance.now();
  const laying = beginAll(mesh, releases);
  const beside = await measureSwitches(mesh, { until: laying });
  await laying;
  const laidMs = performance.now() - beganMs;
  await delay(5_000);
  const busyPercent = await cpuPercent(mesh);
  const memory = renderTable(
    ["", "RSS of kirikae", "of a processor"],
    [
      [
        `${renderCount(virtualServices)} VirtualServices, no release`,
        renderMegabytes(restBytes),
        `${restPercent.toFixed(1)} %`,
      ],
      [
        `with ${renderCount(releases)} releases`,
        renderMegabytes(await mesh.residentBytes()),
        `${busyPercent.toFixed(1)} %`,
      ],
    ],
  );
  const switches = renderTable(
    ["a switch of another VirtualService, until it is proved", "switches", "median", "p99", "highest"],
    [
      renderSpread("while nothing else happens", alone),
      renderSpread(`while ${renderCount(releases)} releases begin, in ${renderMs(laidMs / 1_000)} s`, beside),
    ],
  );
  size.report([switches, memory].join("\n"));
  return [steps, switches, memory].join("\n\n");
}

/** A fifth with each kind of first step, and a fifth that checks. */
async function beginAll(mesh: LargeMesh, releases: number): Promise<void> {
  for (let index = 0; index < releases; index += 1) {
    await mesh.start(firstSteps[index % (firstSteps.length + 1)]?.spec ?? checking);
  }
  await mesh.allBegun();
}

async function measureSteps(mesh: LargeMesh, size: EngineSize): Promise<string> {
  const rows: string[][] = [];
  for (const { name, spec } of firstSteps) {
    size.report(`first step: ${name}`);
    const took: number[] = [];
    const cpuBefore = await mesh.cpuMs();
    for (let count = 0; count < size.large.each; count += 1) {
      const { events } = await mesh.firstStep(await mesh.start(spec));
      const startedMs = events.find(({ kind }) => kind === "start")?.atMs ?? Number.NaN;
      took.push((events.find(({ kind }) => kind === "moved")?.atMs ?? Number.NaN) - startedMs);
    }
    size.report(renderSpread(name, took).join(" "));
    rows.push([...renderSpread(name, took), renderMs(((await mesh.cpuMs()) - cpuBefore) / size.large.each)]);
  }
  return renderTable(["first step of a release", "releases", "median", "p99", "highest", "processor time each"], rows);
}

async function measureSwitches(mesh: LargeMesh, { until }: { readonly until: Promise<unknown> }): Promise<number[]> {
  const took: number[] = [];
  const end = { isReached: false };
  const watch = until.then(() => (end.isReached = true));
  while (!end.isReached) {
    took.push(await mesh.switchOnce(took.length));
    await delay(20);
  }
  await watch;
  return took;
}

/** How much of one processor kirikae uses by itself. */
async function cpuPercent(mesh: LargeMesh): Promise<number> {
  const beganMs = performance.now();
  const before = await mesh.cpuMs();
  await delay(10_000);
  return (100 * ((await mesh.cpuMs()) - before)) / (performance.now() - beganMs);
}

function renderSpread(name: string, values: readonly number[]): string[] {
  const { median, p99, max } = spreadOf(values);
  return [name, renderCount(values.length), renderMs(median), renderMs(p99), renderMs(max)];
}

import { fileURLToPath } from "node:url";
import { renderCount, renderMegabytes, renderMs, renderTable } from "../markdown.ts";
import { spreadOf } from "../measure-switches.ts";
import { runProgram } from "../started-process.ts";
import type { MeasuredChange } from "./compiled-mesh.ts";
import type { CompileSize } from "./compile-size.ts";
import type { MeshMeasurement } from "./mesh-measurement.ts";
import type { MeshShape } from "./mesh-texts.ts";

const program = fileURLToPath(new URL("mesh-process.ts", import.meta.url));

const stages = ["build", "encode", "pushToAck"] as const;

/** Models, changes and memory of each mesh, without the folder and the API of `kirikae up`. */
export async function benchMeshes(size: CompileSize): Promise<string> {
  const measured: MeshMeasurement[] = [];
  for (const virtualServices of size.meshSizes) {
    for (const wildcardEvery of [0, 10]) {
      size.report(
        `${renderCount(virtualServices)} VirtualServices, ${describeForm({ virtualServices, wildcardEvery })}`,
      );
      measured.push(await measure({ virtualServices, wildcardEvery }, size));
    }
  }
  return `${renderChanges(measured)}\n\n${renderWhole(measured)}`;
}

async function measure(shape: MeshShape, { changes }: CompileSize): Promise<MeshMeasurement> {
  const args = ["--size", shape.virtualServices, "--wildcards", shape.wildcardEvery, "--changes", changes];
  const output = await runProgram([process.execPath, program, ...args.map(String)]);
  return JSON.parse(output.trim().split("\n").at(-1) ?? "");
}

function describeForm({ wildcardEvery }: MeshShape): string {
  return wildcardEvery === 0 ? "exact hosts" : `every ${wildcardEvery}th host a wildcard`;
}

function renderChanges(measured: readonly MeshMeasurement[]): string {
  const header = [
    "VirtualServices, hosts",
    "what changed",
    "times",
    "text until ACK, median",
    "p99",
    "model",
    "encode",
    "push until ACK",
    "workers proved",
    "bytes of resources, median",
    "highest",
  ];
  const rows = measured.flatMap((mesh) =>
    mesh.changes.map(([kind, changes]) => {
      const median = (pick: (change: MeasuredChange) => number): number => spreadOf(changes.map(pick)).median;
      const total = spreadOf(changes.map((change) => change.total));
      const bytes = spreadOf(changes.map((change) => change.bytes));
      return [
        `${renderCount(mesh.virtualServices)}, ${describeForm(mesh)}`,
        kind,
        renderCount(changes.length),
        renderMs(total.median),
        renderMs(total.p99),
        ...stages.map((stage) => renderMs(median((change) => change[stage]))),
        renderMs(median((change) => change.proof)),
        renderCount(bytes.median),
        renderCount(bytes.max),
      ];
    }),
  );
  return renderTable(header, rows);
}

function renderWhole(measured: readonly MeshMeasurement[]): string {
  const header = [
    "VirtualServices, hosts",
    "cold build with findings",
    "until Envoy serves it",
    "check of the whole",
    "explains/s",
    "kirikae RSS",
    "of it heap in use",
    "Envoy RSS",
  ];
  const rows = measured.map((mesh) => [
    `${renderCount(mesh.virtualServices)}, ${describeForm(mesh)}`,
    renderMs(mesh.buildMs),
    renderMs(mesh.readyMs),
    renderMs(mesh.checkMs),
    renderCount(mesh.explainsPerSecond),
    renderMegabytes(mesh.rssBytes),
    renderMegabytes(mesh.heapBytes),
    renderMegabytes(mesh.envoyRssBytes),
  ]);
  return renderTable(header, rows);
}

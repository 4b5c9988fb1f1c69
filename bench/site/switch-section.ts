import { addManyVirtualServices } from "../../test/cluster/many-virtual-services.ts";
import { isFailed } from "../../test/load/load-summary.ts";
import { residentBytes } from "../fronts/up-process.ts";
import { renderCount, renderMegabytes, renderMs, renderTable } from "../markdown.ts";
import { spreadOf } from "../measure-switches.ts";
import { type BenchSite, leftOut, startBenchSite } from "./start-bench-site.ts";
import type { SiteSize } from "./site-size.ts";

/** Switches there and back through `kirikae up --context`: from the write until the proxies have proved it. */
export async function benchSwitches(size: SiteSize & { readonly folder: string }): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const bench = await startBenchSite(size.folder, stack);
  if (bench === undefined) return leftOut;
  const rows: (readonly string[])[] = [];
  for (const others of [0, size.virtualServices - 1]) {
    size.report(`switching among ${renderCount(others + 1)} VirtualServices`);
    if (others > 0) await addManyVirtualServices(bench.site, others);
    rows.push(await measureSwitches(bench, others + 1, size));
  }
  const header = [
    "VirtualServices",
    "write until proved, ms, median",
    "highest",
    "request until told, median",
    "failed / requests",
    "kirikae RSS",
  ];
  return `${renderCount(size.switches)} switches there and back at each size, under 300 requests/s. A proof needs istiod's push, which waits 100 ms for
more changes first, the proxy's own routes, and that every istiod knows of it.

${renderTable(header, rows)}`;
}

async function measureSwitches(
  { site, releases }: BenchSite,
  virtualServices: number,
  size: SiteSize,
): Promise<readonly string[]> {
  const api = await releases.api();
  await using load = await site.startLoad({ requestsPerSecond: 300, connections: 16, atMostMs: 10 * 60_000 });
  const proofs: number[] = [];
  const told: number[] = [];
  for (let count = 0; count < size.switches; count += 1) {
    const askedMs = performance.now();
    const result = await api.move(
      {
        verb: "switch",
        name: "app",
        namespace: site.namespace,
        route: undefined,
        to: { [count % 2 === 0 ? "green" : "blue"]: 100 },
        actor: "bench",
        reason: undefined,
      },
      () => {},
    );
    if (!result.ok || result.callToProofMs === null) throw new Error(`switch ${count} ended ${result.outcome}`);
    told.push(performance.now() - askedMs);
    proofs.push(result.callToProofMs);
  }
  const records = await load.stop();
  const [proof, call] = [spreadOf(proofs), spreadOf(told)];
  return [
    renderCount(virtualServices),
    renderMs(proof.median),
    renderMs(proof.max),
    renderMs(call.median),
    `${renderCount(records.filter(isFailed).length)} / ${renderCount(records.length)}`,
    renderMegabytes(await residentBytes(releases.pid)),
  ];
}

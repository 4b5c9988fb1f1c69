import { setTimeout as delay } from "node:timers/promises";
import { addManyVirtualServices } from "../../test/cluster/many-virtual-services.ts";
import { viewRecords } from "../../test/cluster/site.ts";
import { buildDestinationRule, buildVirtualService } from "../../test/cluster/site-objects.ts";
import { epochNowMs } from "../../test/load/load-clock.ts";
import { renderCount, renderMs, renderTable } from "../markdown.ts";
import { type BenchSite, leftOut, startBenchSite } from "./start-bench-site.ts";
import type { SiteSize } from "./site-size.ts";

interface Drop {
  readonly tookMs: number;
  readonly requests: number;
  readonly failed: number;
}

/**
 * From blue 90, green 10: everything goes to green, and the subset blue goes with it. istiod sends the removal of blue's
 * cluster before the routes that still lead there (field of `kubectl apply`); kirikae writes the one, waits until the
 * proxies show it, and then the other.
 */
export async function benchDrops(size: SiteSize & { readonly folder: string }): Promise<string> {
  await using stack = new AsyncDisposableStack();
  const bench = await startBenchSite(size.folder, stack);
  if (bench === undefined) return leftOut;
  const rows: (readonly string[])[] = [];
  for (const others of [0, size.virtualServices - 1]) {
    size.report(`dropping a subset among ${renderCount(others + 1)} VirtualServices`);
    if (others > 0) await addManyVirtualServices(bench.site, others);
    for (const [name, move] of ways) {
      const drops: Drop[] = [];
      for (let round = 0; round < size.drops; round += 1) drops.push(await measureDrop(bench, move, size));
      rows.push([
        name,
        renderCount(others + 1),
        drops.map(({ failed }) => renderCount(failed)).join(", "),
        renderCount(drops.reduce((sum, { requests }) => sum + requests, 0)),
        drops.map(({ tookMs }) => renderMs(tookMs)).join(", "),
      ]);
    }
  }
  const header = ["way", "VirtualServices", "failed, each time", "requests", "until told done, ms"];
  return `Under ${renderCount(size.requestsPerSecond)} requests/s over 64 keep-alive connections, versions from ${bench.backends.program}.

${renderTable(header, rows)}`;
}

type Way = (bench: BenchSite) => Promise<void>;

const ways: readonly (readonly [name: string, way: Way])[] = [
  ["istiod, one `kubectl apply`", applyAtOnce],
  ["kirikae", releaseAndDrop],
];

async function measureDrop(bench: BenchSite, move: Way, size: SiteSize): Promise<Drop> {
  const { site, kubectl } = bench;
  const [gateway] = site.gateways;
  if (gateway === undefined) throw new Error("the site has no gateway");
  await kubectl.apply([buildDestinationRule(site.shape), buildVirtualService(site.shape, { blue: 90, green: 10 })]);
  await site.whenAnswered(gateway, (version) => version === "blue");
  // istiod has sent what it had to, and the proxy has taken it.
  await delay(3_000);
  await using load = await site.startLoad({ requestsPerSecond: size.requestsPerSecond, connections: 64 });
  await delay(1_000);
  const startMs = epochNowMs();
  await move(bench);
  const tookMs = epochNowMs() - startMs;
  await delay(3_000);
  const { requests, failed } = viewRecords(await load.stop());
  return { tookMs, requests, failed };
}

async function applyAtOnce({ site, kubectl }: BenchSite): Promise<void> {
  const shape = { ...site.shape, versions: ["green"] };
  await kubectl.apply([buildDestinationRule(shape), buildVirtualService(shape)]);
}

/** A Release whose last step takes the subset away, carried out by `kirikae up --context`. */
async function releaseAndDrop(bench: BenchSite): Promise<void> {
  const { releases } = bench;
  const name = bench.nextName();
  await releases.release(name, "subsets: [{ destinationRule: app, remove: [blue] }]\nstrategy: { blueGreen: {} }");
  await releases.whenPhase(name, "done");
}

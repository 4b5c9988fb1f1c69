import { withVirtualHosts } from "../gateway-table.fixture.ts";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { isSameShare } from "../../src/core/release/move/split-weights.ts";
import { addRoutes } from "../../src/core/routes/add-routes.ts";
import type { OwnedAddition } from "../../src/core/routes/route-addition.ts";
import type { RouteTable, SplitId, SplitWeights } from "../../src/core/routes/route-table.ts";
import { drawsOf, logSeed } from "../crash/draws.ts";
import { rounds } from "../crash/rounds.ts";
import {
  type Backend,
  buildRoute,
  buildTable,
  destinationId,
  GatewayClient,
  startBackend,
  startLoad,
  XdsFixture,
} from "./xds-fixture.ts";

const subsets = ["blue", "green", "red"] as const;
const names = ["one", "two", "three", "four"] as const;
const seed = logSeed();

/** Shares of blue, green and red: small ones, thirds, more digits than a proxy prints, and all that fits into 32 bits. */
const kinds: readonly (readonly [number, number, number])[] = [
  [100, 0, 0],
  [0, 100, 0],
  [0, 0, 100],
  [1, 1, 1],
  [33, 67, 0],
  [9999, 1, 0],
  [333_333, 166_667, 0],
  [333_334, 333_333, 333_333],
  [1_234_567, 7_654_321, 1],
  [1_234_568, 7_654_321, 1],
  [4_294_967_294, 1, 0],
  [1_431_655_764, 1_431_655_765, 1_431_655_766],
];

const splitOf = (name: string): SplitId => `test/${name}/public`;

function weighed([blue, green, red]: readonly [number, number, number]): SplitWeights {
  return { [destinationId("blue")]: blue, [destinationId("green")]: green, [destinationId("red")]: red };
}

function tableOf(backends: readonly Backend[]): RouteTable {
  const versions = Object.fromEntries(backends.map(({ name, port }) => [name, [port]]));
  const table = buildTable({ versions, weights: { blue: 100, green: 0, red: 0 } });
  return withVirtualHosts(table, () =>
    names.map((name) => ({
      domain: `${name}.test`,
      requiresHttps: false,
      routes: [buildRoute(splitOf(name), { blue: 100, green: 0, red: 0 })],
    })),
  );
}

/** What releases may lay over the routes of these hosts, and nothing. */
function layersOf(plain: RouteTable): readonly RouteTable[] {
  const to = { [splitOf("one")]: destinationId("red"), [splitOf("two")]: destinationId("red") };
  const marks = [{ headers: { "x-preview": { kind: "present" } as const }, cookies: {}, query: {} }];
  const additions: readonly OwnedAddition["addition"][] = [
    { kind: "preview", name: "testers", to, marks },
    { kind: "affinity", splits: [splitOf("one"), splitOf("three")], cookie: "visitor", maxAgeMs: 1_000 },
    { kind: "mirror", to, percent: 100, methods: ["GET"] },
  ];
  const laid = additions.map((addition, index) => ({ release: `test/r${index}`, addition }));
  return [plain, ...laid.map((each) => addRoutes(plain, [each])), addRoutes(plain, laid)];
}

/** All weights that a split was ever given, and which of them can be live. */
class SplitHistory {
  readonly id: SplitId;
  readonly given: SplitWeights[] = [weighed([100, 0, 0])];
  proved = 0;

  constructor(name: string) {
    this.id = splitOf(name);
  }

  /** What was begun after `from` was proved, and `from`. */
  isPossible(weights: SplitWeights | undefined, from: number): boolean {
    return weights !== undefined && this.given.slice(from).some((each) => isSameShare(each, weights));
  }
}

test(
  "moves, lays, rewrites and looks at the same time: each shows what was moved, and requests go there",
  { timeout: rounds({ test: 60_000, soak: 600_000 }) },
  async () => {
    await using cleanup = new AsyncDisposableStack();
    const backends = await Promise.all(subsets.map((name) => startBackend(name)));
    for (const backend of backends) cleanup.use(backend);
    const fixture = cleanup.use(await XdsFixture.open());
    const client = cleanup.use(new GatewayClient(fixture.port, 4));
    const trouble: string[] = [];
    const target = await fixture.startTarget({
      // As often as it can, instead of when nothing has moved for seconds.
      rewriteDelayMs: 1,
      drainMs: 20,
      onTrouble: (message) => trouble.push(message),
    });
    const plain = tableOf(backends);
    await fixture.startEnvoy();
    await target.applyTable(plain, new Map());
    expect(await target.confirm({ timeoutMs: 30_000 })).toMatchObject({ kind: "applied" });
    await fixture.whenLive();
    const load = startLoad(fixture.port, 2, "one.test");

    const endMs = performance.now() + rounds({ test: 5_000, soak: 300_000 });
    const wrong: string[] = [];
    const isOver = (): boolean => performance.now() > endMs || wrong.length > 0;
    const histories = names.map((name) => new SplitHistory(name));
    const counts = { moves: 0, lays: 0, looks: 0 };

    const moveOn = async (history: SplitHistory, name: string, draw: () => number): Promise<void> => {
      while (!isOver()) {
        const kind = kinds[Math.floor(draw() * kinds.length)] ?? [100, 0, 0];
        const wanted = weighed(kind);
        history.given.push(wanted);
        const report = await target.apply(new Map([[history.id, wanted]]), { timeoutMs: 10_000 });
        if (report.kind !== "proved") wrong.push(`${name}: ${JSON.stringify(report)}`);
        history.proved = history.given.length - 1;
        const [seen] = await target.observe([history.id]);
        if (!isSameShare(seen?.weights ?? {}, wanted)) {
          wrong.push(`${name} shows ${JSON.stringify(seen?.weights)} after ${JSON.stringify(wanted)}`);
        }
        const only = subsets.find((_, index) => kind[index] === 100);
        const body = only === undefined ? undefined : (await client.get("/", `${name}.test`)).body;
        if (body !== only) wrong.push(`${name} answered ${body} after ${JSON.stringify(wanted)}`);
        counts.moves += 1;
        await delay(draw() * 20);
      }
    };
    const layOn = async (draw: () => number): Promise<void> => {
      const layers = layersOf(plain);
      while (!isOver()) {
        const report = await target.applyTable(layers[Math.floor(draw() * layers.length)] ?? plain, undefined);
        if (report.kind !== "applied") wrong.push(JSON.stringify(report));
        counts.lays += 1;
        await delay(draw() * 100);
      }
    };
    const lookOn = async (): Promise<void> => {
      while (!isOver()) {
        const from = histories.map(({ proved }) => proved);
        const seen = await target.observe(histories.map(({ id }) => id));
        for (const [index, history] of histories.entries()) {
          const weights = seen[index]?.weights;
          if (history.isPossible(weights, from[index] ?? 0)) continue;
          wrong.push(`a look at ${history.id}: ${JSON.stringify(weights)}, ${JSON.stringify(history.given.slice(-3))}`);
        }
        counts.looks += 1;
        await delay(1);
      }
    };
    await Promise.all([
      ...histories.map((history, index) => moveOn(history, names[index] ?? "", drawsOf(seed + index))),
      layOn(drawsOf(seed + 100)),
      lookOn(),
    ]);
    const answers = await load.stop();
    console.log(counts);
    expect(wrong).toEqual([]);
    expect(trouble).toEqual([]);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(Math.min(...Object.values(counts))).toBeGreaterThan(3);
  },
);

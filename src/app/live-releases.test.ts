import { expect, test, vi } from "vitest";
import { bySubset, ReleaseProcess, web } from "../../test/release-process.fixture.ts";
import { LiveReleases, type LiveParts } from "./live-releases.ts";

function partsOf(process: ReleaseProcess, more: Partial<LiveParts> = {}): LiveParts {
  return {
    current: process.current,
    observe: (splits) => process.target.observe(splits),
    latencies: async () => new Map([[bySubset("green"), { p50Ms: 2, p99Ms: 9 }]]),
    lastSample: () => ({
      atMs: 0,
      services: [
        { virtualService: "shop/web", versions: [{ name: "green", requestsPerSecond: 5, errorsPerSecond: 1 }] },
      ],
    }),
    clock: { nowMs: () => Date.now(), sleep: async () => undefined },
    ...more,
  };
}

const routes = "[{virtualService: web}]";

test("shows what is wanted beside what the proxies use, and what each version answers", async () => {
  await using process = new ReleaseProcess();
  const { id } = process.start("{steps: [{weight: 10}, {hold: {}}, {switch: {}}]}", { routes });
  await process.until("holding");
  const look = async (live: LiveReleases) => (await live.look(process.engine.releases())).get(id);
  const seen = await look(new LiveReleases(partsOf(process)));
  expect(seen?.rules).toEqual([
    {
      virtualService: "shop/web",
      rule: 0,
      name: "public",
      wanted: { blue: 90, green: 10 },
      observed: { blue: 90, green: 10 },
      isAsWanted: true,
    },
  ]);
  expect(seen?.versions).toContainEqual({
    virtualService: "shop/web",
    name: "green",
    requestsPerSecond: 5,
    errorsPerSecond: 1,
    latency: { p50Ms: 2, p99Ms: 9 },
  });
  expect(seen?.versions).toContainEqual(expect.objectContaining({ name: "blue", requestsPerSecond: 0, latency: null }));
  process.target.overwrite(web, { [bySubset("blue")]: 1, [bySubset("green")]: 1 });
  expect((await look(new LiveReleases(partsOf(process))))?.rules).toMatchObject([
    { wanted: { green: 10 }, observed: { green: 50 }, isAsWanted: false },
  ]);
  process.target.setVisible(false);
  expect((await look(new LiveReleases(partsOf(process))))?.rules).toMatchObject([{ observed: null, isAsWanted: null }]);
});

test("asks the proxies once a second for everybody who looks, and about all releases at once", async () => {
  await using process = new ReleaseProcess();
  process.start("{steps: [{weight: 10}, {hold: {}}]}");
  await process.until("holding");
  let nowMs = 1_000_000;
  const observe = vi.fn<LiveParts["observe"]>((splits) => process.target.observe(splits));
  const live = new LiveReleases(
    partsOf(process, { observe, clock: { nowMs: () => nowMs, sleep: async () => undefined } }),
  );
  await Promise.all([live.look(process.engine.releases()), live.look(process.engine.releases())]);
  nowMs += 999;
  await live.look(process.engine.releases());
  expect(observe).toHaveBeenCalledTimes(1);
  nowMs += 1;
  await live.look(process.engine.releases());
  expect(observe).toHaveBeenCalledTimes(2);
  await live.look([]);
  expect(observe).toHaveBeenCalledTimes(2);
});

test("a proxy that stands still is not waited for", async () => {
  await using process = new ReleaseProcess();
  const { id } = process.start("{steps: [{weight: 10}, {hold: {}}]}", { routes });
  await process.until("holding");
  const live = new LiveReleases(partsOf(process, { observe: () => new Promise(() => {}) }));
  const seen = await live.look(process.engine.releases());
  expect(seen.get(id)?.rules).toMatchObject([{ wanted: { green: 10 }, observed: null }]);
});

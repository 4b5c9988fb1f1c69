import { expect, test } from "vitest";
import { readLatencies, slowestOf } from "./proxy-latency.ts";

const blue = "outbound|80|blue|web.shop.svc.cluster.local";
const green = "outbound|80|green|web.shop.svc.cluster.local";

function answerWith(times: Readonly<Record<string, readonly [p50: number | null, p99: number | null]>>): string {
  const computed = Object.entries(times).map(([name, [p50, p99]]) => ({
    name,
    values: [
      { interval: 0, cumulative: 1 },
      { interval: p50, cumulative: 70 },
      { interval: p99, cumulative: 90 },
    ],
  }));
  return JSON.stringify({
    stats: [{ histograms: { supported_quantiles: [0, 50, 99], computed_quantiles: computed } }],
  });
}

test("the last interval counts, by destination, as istiod names it in statistics", async () => {
  const asked: string[] = [];
  const get = (path: string): Promise<string> => {
    asked.push(path);
    return Promise.resolve(
      answerWith({
        [`cluster.${blue};.upstream_rq_time`]: [3, 12.5],
        [`cluster.${green}.upstream_rq_time`]: [null, null],
        "cluster.xds-grpc.upstream_rq_time": [1, 1],
      }),
    );
  };
  expect(await readLatencies({ get })).toEqual(new Map([[blue, { p50Ms: 3, p99Ms: 12.5 }]]));
  expect(asked).toEqual([expect.stringContaining("type=Histograms")]);
});

test("a proxy without histograms knows none", async () => {
  expect(await readLatencies({ get: () => Promise.resolve('{"stats":[]}') })).toEqual(new Map());
});

test("of several proxies the slowest counts", () => {
  const one = new Map([[blue, { p50Ms: 3, p99Ms: 12 }]]);
  const other = new Map([
    [blue, { p50Ms: 5, p99Ms: 9 }],
    [green, { p50Ms: 1, p99Ms: 2 }],
  ]);
  expect(slowestOf([one, other])).toEqual(
    new Map([
      [blue, { p50Ms: 5, p99Ms: 12 }],
      [green, { p50Ms: 1, p99Ms: 2 }],
    ]),
  );
});

import { expect, test } from "vitest";
import { sketchTable } from "../../test/route-table.fixture.ts";
import { describeServicesOf } from "../core/release/move/describe-services.ts";
import { type CountersByDestination, type FindServices, TrafficHistory } from "./traffic-history.ts";

const table = sketchTable([
  { name: "ns/app", rules: [{ arms: { "nginx/blue": 1 }, idle: ["nginx/green"] }] },
  { name: "ns/quiet", rules: [{ arms: { "other/blue": 1 }, idle: ["other/green"] }] },
]);
const findServices: FindServices = (destinations) => describeServicesOf(table, { current: new Map(), destinations });

function counters(blue: number, errors = 0): CountersByDestination {
  const arms = table.httpRoutings.flatMap(({ virtualHosts }) =>
    virtualHosts.flatMap(({ routes }) =>
      routes.flatMap(({ action }) => (action.kind === "forward" ? action.split.arms : [])),
    ),
  );
  const destination = arms.map((arm) => arm.destination).find((id) => id.includes("|blue|nginx.")) ?? "";
  return new Map([[destination, { requests: blue, errors }]]);
}

function blueRates(history: TrafficHistory): readonly number[] {
  return history.samples.map(({ services }) => services[0]?.versions[0]?.requestsPerSecond ?? 0);
}

test("rates are by version, and a service without traffic is not listed", () => {
  const history = new TrafficHistory();
  expect(history.add({ atMs: 0, counters: counters(10) }, findServices)).toBeUndefined();
  expect(history.add({ atMs: 2_000, counters: counters(30, 4) }, findServices)).toEqual({
    atMs: 2_000,
    services: [
      {
        virtualService: "ns/app",
        versions: [
          { name: "blue", requestsPerSecond: 10, errorsPerSecond: 2 },
          { name: "green", requestsPerSecond: 0, errorsPerSecond: 0 },
        ],
      },
    ],
  });
  expect(history.add({ atMs: 3_000, counters: counters(30, 4) }, findServices)?.services).toEqual([]);
});

test("a look right after a late one shows neither a gap nor a peak", () => {
  const history = new TrafficHistory();
  history.add({ atMs: 0, counters: counters(0) }, findServices);
  history.add({ atMs: 2_900, counters: counters(290) }, findServices);
  expect(history.add({ atMs: 3_000, counters: counters(290) }, findServices)).toBeUndefined();
  history.add({ atMs: 4_000, counters: counters(400) }, findServices);
  expect(blueRates(history)).toEqual([100, 100]);
});

test("a proxy that starts again counts from 0, and a clock that is set back begins anew", () => {
  const history = new TrafficHistory();
  history.add({ atMs: 10_000, counters: counters(500) }, findServices);
  history.add({ atMs: 11_000, counters: counters(40) }, findServices);
  expect(history.add({ atMs: 5_000, counters: counters(90) }, findServices)).toBeUndefined();
  history.add({ atMs: 6_000, counters: counters(120) }, findServices);
  expect(blueRates(history)).toEqual([40, 30]);
});

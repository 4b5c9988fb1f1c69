import { toBinary, fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { runtimeKeyPrefix } from "../../core/envoy/names.ts";
import { emitRuntime } from "../../core/envoy/runtime.ts";
import type { Split } from "../../core/routes/route-table.ts";
import { RuntimeSchema } from "../../gen/envoy/service/runtime/v3/rtds_pb.ts";
import { checkWeights, fullWeights, parseRuntimeWeights } from "./runtime-weights.ts";

const none = { set: [], add: [], remove: [] };
const blue = "outbound|80|blue|a.ns.svc.cluster.local";
const green = "outbound|80|green|a.ns.svc.cluster.local";
const red = "outbound|80|red|a.ns.svc.cluster.local";

function split(weights: Readonly<Record<string, number>>): Split {
  const arms = Object.entries(weights).map(([destination, weight]) => ({
    destination,
    weight,
    isDeclared: true,
    requestHeaders: none,
    responseHeaders: none,
  }));
  return { id: "ns/app/rule.1", arms };
}

test("what the layer says is read back from an Envoy's runtime, whatever dots names have", () => {
  const weights = new Map([
    [runtimeKeyPrefix("ns/app/rule.1", [blue, green]), { [blue]: 33_333_333, [green]: 1_000_000_000 }],
    [runtimeKeyPrefix("ns/app/rule.1", [blue, green, red]), { [blue]: 1, [green]: 2, [red]: 3 }],
  ]);
  const layer = fromBinary(
    RuntimeSchema,
    toBinary(RuntimeSchema, emitRuntime({ epoch: 65, isCounting: true, weights })),
  ).layer;
  const runtime = new Map(Object.entries(layer ?? {}).map(([key, value]) => [key, show(value)]));
  expect(parseRuntimeWeights(runtime)).toEqual(weights);
  expect(Number(runtime.get("kirikae.epoch.1"))).toBe(100);
  expect(Number(runtime.get("kirikae.ledger"))).toBe(100);
});

/** As Envoy does: six digits of a number, and all of a text. */
function show(value: unknown): string {
  return typeof value === "number" ? value.toPrecision(6) : String(value);
}

test("a weight is given for every arm, because a missing key means the route's own weight", () => {
  expect(fullWeights(split({ [blue]: 1, [green]: 0 }), { [green]: 7 })).toEqual({ [blue]: 0, [green]: 7 });
});

test("weights that cannot be applied are refused with their code", () => {
  const splits = new Map([["a", split({ [blue]: 1, [green]: 0 })]]);
  expect(() => checkWeights(splits, new Map([["b", { [blue]: 1 }]]))).toThrow(/identity b/);
  for (const weights of [{}, { [blue]: 0 }, { [red]: 5 }, { [blue]: 0.5 }, { [blue]: -1, [green]: 1 }]) {
    expect(() => checkWeights(splits, new Map([["a", weights]]))).toThrow(/share/);
  }
  checkWeights(splits, new Map([["a", { [green]: 1 }]]));
});

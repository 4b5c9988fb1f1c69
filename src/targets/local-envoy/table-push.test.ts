import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.ts";
import { sketchTable } from "../../../test/route-table.fixture.ts";
import type { RouteTable, SplitWeights } from "../../core/routes/route-table.ts";
import { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import { RuntimeSchema } from "../../gen/envoy/service/runtime/v3/rtds_pb.ts";
import { XdsServer } from "../../xds/server.ts";
import type { ResourcesByName, Snapshot } from "../../xds/snapshot.ts";
import { ProxySet } from "./proxy-set.ts";
import { PushedState } from "./pushed-state.ts";
import { fullWeights, movableSplits } from "./runtime-weights.ts";
import { pushTable } from "./table-push.ts";

const split = "ns/app/public";
const emit = { bind: () => ({ address: "127.0.0.1", port: 1 }), endpoints: () => [] };
const colours = ["blue", "green", "red", "black"] as const;

type Colours = Readonly<Record<string, number>>;

function tableOf(weights: Colours): RouteTable {
  const arms = Object.fromEntries(Object.entries(weights).map(([colour, weight]) => [`app/${colour}`, weight]));
  return sketchTable([{ name: "ns/app", rules: [{ name: "public", arms }] }]);
}

/** What an Envoy with these routes does: the runtime's value of an arm, or the route's own where there is none. */
function effective(routes: ResourcesByName | undefined, { runtime }: Snapshot): SplitWeights {
  const layer = runtime?.get("kirikae");
  const values = layer === undefined ? {} : (fromBinary(RuntimeSchema, layer.bytes).layer ?? {});
  for (const { bytes } of routes?.values() ?? []) {
    for (const { routes: each } of fromBinary(RouteConfigurationSchema, bytes).virtualHosts) {
      for (const { action } of each) {
        const specifier = action.case === "route" ? action.value.clusterSpecifier : undefined;
        if (specifier?.case === "cluster") return { [specifier.value]: 1 };
        if (specifier?.case !== "weightedClusters") continue;
        const { runtimeKeyPrefix, clusters } = specifier.value;
        return Object.fromEntries(
          clusters.map(({ name, weight }) => [name, Number(values[`${runtimeKeyPrefix}.${name}`] ?? weight ?? 0)]),
        );
      }
    }
  }
  throw new Error("no route");
}

function shares(weights: SplitWeights): Readonly<Record<string, number>> {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  return Object.fromEntries(
    Object.entries(weights).flatMap(([name, weight]) => (weight === 0 ? [] : [[name, weight / sum] as const])),
  );
}

const someWeights = fc
  .uniqueArray(fc.constantFrom(...colours), { minLength: 1, maxLength: 4 })
  .chain((names) => fc.tuple(...names.map((name) => fc.tuple(fc.constant(name), fc.nat(3)))))
  .map((pairs): Colours => Object.fromEntries(pairs))
  .filter((weights) => Object.values(weights).some((weight) => weight > 0));

test("at every moment of a push, old and new routes alike have the old shares or the wanted ones", async () => {
  await using folder = await temporaryFolder();
  await using server = await XdsServer.start({ socketPath: join(folder.path, "xds.sock") });
  const moments: Snapshot[] = [];
  const publish = server.publish.bind(server);
  server.publish = (snapshot) => {
    moments.push(snapshot);
    publish(snapshot);
  };
  using proxies = new ProxySet([]);
  const state = new PushedState(server, emit);
  const push = { server, state, proxies, emit, deadlineMs: Number.POSITIVE_INFINITY };
  await fc.assert(
    fc.asyncProperty(someWeights, fc.option(someWeights), someWeights, async (before, moved, after) => {
      const old = tableOf(before);
      await pushTable(push, old, new Map());
      const arms = movableSplits(old).get(split);
      const move = fullWeights(arms ?? { id: split, arms: [] }, inDestinations(moved ?? {}));
      if (arms !== undefined && Object.values(move).some((weight) => weight > 0)) {
        state.publishWeights(new Map([[split, move]]));
      }
      const oldRoutes = state.snapshot.routes;
      const oldShares = shares(effective(oldRoutes, state.snapshot));
      moments.length = 0;
      const table = tableOf(after);
      await pushTable(push, table, new Map());
      const newRoutes = state.snapshot.routes;
      const wanted = shares(inDestinations(after));
      expect(shares(effective(newRoutes, state.snapshot))).toEqual(wanted);
      for (const [index, moment] of moments.entries()) {
        // The last one is published once every proxy has the new routes.
        const used = index === moments.length - 1 ? [newRoutes] : [oldRoutes, moment.routes];
        for (const routes of used) expect([oldShares, wanted]).toContainEqual(shares(effective(routes, moment)));
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);

function inDestinations(weights: Colours): SplitWeights {
  return Object.fromEntries(
    Object.entries(weights).map(([colour, weight]) => [`outbound|80|${colour}|app.ns.svc.cluster.local`, weight]),
  );
}

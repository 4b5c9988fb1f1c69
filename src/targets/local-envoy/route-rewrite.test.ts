import { join } from "node:path";
import { expect, test } from "vitest";
import { sketchTable } from "../../../test/route-table.fixture.ts";
import { temporaryFolder } from "../../../test/temporary-folder.ts";
import { XdsServer } from "../../xds/server.ts";
import { ProxySet } from "./proxy-set.ts";
import { PushedState } from "./pushed-state.ts";
import { rewriteRoutes } from "./route-rewrite.ts";
import { pushTable } from "./table-push.ts";

test("a rewrite that a proxy does not confirm leaves the layer, to be tried again", async () => {
  await using folder = await temporaryFolder();
  await using server = await XdsServer.start({ socketPath: join(folder.path, "xds") });
  const sockets = { adminSocket: join(folder.path, "admin"), proofSocket: join(folder.path, "proof") };
  using proxies = new ProxySet([{ node: "away", ...sockets }]);
  const emit = { bind: () => ({ address: "127.0.0.1", port: 1 }), endpoints: () => [] };
  const state = new PushedState(server, emit);
  const table = sketchTable([{ name: "ns/app", rules: [{ name: "public", arms: { "app/blue": 1, "app/green": 0 } }] }]);
  await pushTable({ server, state, proxies, emit, deadlineMs: Number.POSITIVE_INFINITY }, table, new Map());
  state.publishWeights(new Map([["ns/app/public", { "outbound|80|green|app.ns.svc.cluster.local": 100 }]]));
  const { layer } = state;
  expect(layer.size).toBe(1);
  const outcome = await rewriteRoutes({ server, state, proxies: proxies.all, timeoutMs: 50 });
  expect(outcome).toMatchObject({ kind: "late", message: expect.stringContaining("away") });
  expect(state.layer).toBe(layer);
  expect(await rewriteRoutes({ server, state, proxies: [] })).toEqual({ kind: "done" });
  expect(state.layer.size).toBe(0);
});

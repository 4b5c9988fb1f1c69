import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.ts";
import { buildMeshModel } from "../../core/mesh-model.ts";
import type { RouteTable } from "../../core/routes/route-table.ts";
import { ClusterLoadAssignmentSchema } from "../../gen/envoy/config/endpoint/v3/endpoint_pb.ts";
import { XdsServer } from "../../xds/server.ts";
import type { Snapshot } from "../../xds/snapshot.ts";
import { ProxySet } from "./proxy-set.ts";
import { PushedState } from "./pushed-state.ts";
import { pushTable } from "./table-push.ts";

const emit = {
  bind: () => ({ address: "127.0.0.1", port: 1 }),
  endpoints: () => [{ address: "127.0.0.1", port: 9 }],
};

const service = (name: string): string => `
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: app}
spec: {selector: {app: ${name}}, ports: [{name: http, port: 80}]}
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: ${name}, namespace: app}
spec: {labels: {app: ${name}}, command: [node, app.js]}
`;

const gateway = `
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: app}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: app}
spec: {hosts: [web.example.com], gateways: [gw], http: [{route: [{destination: {host: web}}]}]}
`;

function tableOf(injection: "enabled" | "disabled", names: readonly string[]): RouteTable {
  const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: {name: app, labels: {istio-injection: ${injection}}}\n`;
  const text = namespace + ["client", ...names].map(service).join("") + gateway;
  return buildMeshModel([{ path: "m.yaml", text }], { defaultNamespace: "default" }).table;
}

/** The listeners that endpoints of a moment lead to; those of destinations that no route names yet do not matter. */
function wanted({ endpoints, routes }: Snapshot, before: Snapshot): readonly string[] {
  const used = [...(endpoints ?? [])].filter(([name]) => routes !== before.routes || before.endpoints?.has(name));
  return used.flatMap(([, { bytes }]) =>
    fromBinary(ClusterLoadAssignmentSchema, bytes).endpoints.flatMap(({ lbEndpoints }) =>
      lbEndpoints.flatMap(({ hostIdentifier }) => {
        const address = hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
        const named = address?.case === "envoyInternalAddress" ? address.value.addressNameSpecifier : undefined;
        return named?.case === "serverListenerName" ? [named.value] : [];
      }),
    ),
  );
}

test.each([
  ["a workload comes", tableOf("enabled", ["web"]), tableOf("enabled", ["web", "guest"])],
  ["a workload goes", tableOf("enabled", ["web", "guest"]), tableOf("enabled", ["web"])],
  ["one takes the place of another", tableOf("enabled", ["web"]), tableOf("enabled", ["guest"])],
  ["all sidecars are taken away", tableOf("enabled", ["web"]), tableOf("disabled", ["web"])],
  ["all get sidecars", tableOf("disabled", ["web"]), tableOf("enabled", ["web"])],
])("no endpoint ever leads to a listener that is not there: %s", async (_, before, after) => {
  await using folder = await temporaryFolder();
  await using server = await XdsServer.start({ socketPath: join(folder.path, "xds.sock") });
  using proxies = new ProxySet([]);
  const state = new PushedState(server, emit);
  const push = { server, state, proxies, emit, deadlineMs: Number.POSITIVE_INFINITY };
  await pushTable(push, before, new Map());
  const first = state.snapshot;
  const moments = [first];
  const publish = server.publish.bind(server);
  server.publish = (snapshot) => {
    moments.push(snapshot);
    publish(snapshot);
  };
  await pushTable(push, after, new Map());
  for (const [index, moment] of moments.entries()) {
    // Types of one moment reach a proxy in an order of their own, so that what is needed has to be there before.
    const open = (moments[index - 1] ?? moment).listeners ?? new Map();
    for (const name of wanted(moment, first)) {
      expect(open.has(name), `${name} before moment ${index}`).toBe(true);
      expect(moment.listeners?.has(name), `${name} at moment ${index}`).toBe(true);
    }
  }
  const known = new Set(moments.flatMap((moment) => wanted(moment, first)));
  expect(known.size).toBeGreaterThan(0);
});

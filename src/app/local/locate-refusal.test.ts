import { expect, test } from "vitest";
import { describeRefusal, locateRefusal } from "./locate-refusal.ts";
import { buildMeshModel } from "../../core/mesh-model.ts";

const text = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec: {selector: {istio: in}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {selector: {app: app}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: one}
spec:
  hosts: [a.test]
  gateways: [gateway]
  http:
    - match: [{uri: {regex: "/[0-9]+x"}}]
      directResponse: {status: 200}
    - route: [{destination: {host: app}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: two}
spec:
  hosts: [b.test]
  gateways: [gateway]
  http:
    - directResponse: {status: 200}
      headers: {response: {set: {x-a: "%PROTOCOL%"}}}
`;
const { table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "default" });
const listener = "istio=in:80";
const cluster = "outbound|80||app.default.svc.cluster.local";
const dump = `goo.gle/debugonly
name: "istio=in:80"
virtual_hosts { name: "a.test" routes { name: "default/one/0" } }
virtual_hosts { name: "b.test" routes { name: "default/two/0" } }
: Proto constraint validation failed (RouteConfigurationValidationError.VirtualHosts[1]: embedded message failed validation | caused by VirtualHostValidationError.Routes[0]: embedded message failed validation | caused by DirectResponseActionValidationError.Status: value must be inside range [200, 600))`;

/** Words of Envoy 1.40. */
test.each([
  ["a position behind a dump", dump, listener, ["VirtualService default/two 29"]],
  ["a variable", "Not supported field in StreamInfo: PROTOCOL", listener, ["VirtualService default/two 29"]],
  ["a part of a pattern", "invalid perl operator: [0-9]+", listener, ["VirtualService default/one 18"]],
  [
    "a domain",
    `Only unique values for domains are permitted. Duplicate entry of domain b.test in route ${listener}`,
    listener,
    ["VirtualService default/two 29"],
  ],
  ["an unknown cluster", `route: unknown cluster '${cluster}'`, listener, ["VirtualService default/one 20"]],
  [
    "a cluster",
    "goo.gle/debugonly\nname\n: Proto constraint validation failed (ClusterValidationError.RingHashLbConfig)",
    cluster,
    ["VirtualService default/one 20"],
  ],
  [
    "a position in the configuration of one host",
    dump.replace("VirtualHosts[1]", "VirtualHosts[0]"),
    `${listener}/b.test`,
    ["VirtualService default/two 29"],
  ],
  ["nothing that is known", "out of memory", listener, []],
])("%s leads to its rule", (...[, words, resource, expected]) => {
  const { origins } = locateRefusal(words, resource, table);
  expect(origins.map(({ resource: name, at }) => `${name} ${at?.line}`)).toEqual(expected);
});

test("a dump is left out, and the place is named", () => {
  expect(describeRefusal(dump, listener, table)).toMatch(
    /^Proto constraint validation failed .*; from VirtualService default\/two mesh\.yaml:29:\d+$/,
  );
});

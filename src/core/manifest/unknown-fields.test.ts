import { expect, test } from "vitest";
import { parseManifests } from "./parse-manifests.ts";

function findingsAbout(kind: string, rest: string): readonly string[] {
  const apiVersion = { Service: "v1", Secret: "v1", EndpointSlice: "discovery.k8s.io/v1" }[kind];
  const text = `apiVersion: ${apiVersion ?? "networking.istio.io/v1"}\nkind: ${kind}\n${rest}`;
  return parseManifests([{ path: "a.yaml", text }], { defaultNamespace: "default" }).diagnostics.map(
    ({ code, at, hint }) => `${code} ${at?.line}:${at?.column} ${hint}`,
  );
}

const meta = "metadata: {name: a}\n";
const rule = (route: string): string => `${meta}spec:\n  hosts: [a]\n  http:\n  - ${route}`;
const to = "route: [{destination: {host: a}}]";

test.each([
  ["VirtualService", `metadata: {name: a, namespce: b}\nspec: {hosts: [a], http: [{${to}}]}`, "3:21", "namespace"],
  ["VirtualService", rule(`{${to}, retry: {}}`), "7:41", "retries"],
  ["VirtualService", rule("{route: [{destination: {hst: a}}]}"), "7:29", "host"],
  ["VirtualService", rule("{route: [{destination: {host: a, port: {num: 1}}}]}"), "7:45", "number"],
  ["VirtualService", rule(`{${to}, rewrite: {url: /}}`), "7:51", "uri"],
  ["VirtualService", rule("{redirect: {url: /}}"), "7:17", "uri"],
  ["VirtualService", rule(`{${to}, corsPolicy: {allowOrigins: [{exacty: a}]}}`), "7:70", "exact"],
  ["VirtualService", rule("{routes: [{destination: {host: a}}]}"), "7:6", "route"],
  ["DestinationRule", `${meta}spec: {host: a, trafficPolicy: {loadbalancer: {}}}`, "4:33", "loadBalancer"],
  ["Service", `${meta}spec: {selecter: {app: a}, ports: [{port: 80}]}`, "4:8", "selector"],
  ["Service", `${meta}spec: {ports: [{port: 80, targetport: 81}]}`, "4:27", "targetPort"],
  ["Service", `${meta}spce: {ports: [{port: 80}]}`, "4:1", "spec"],
  ["Gateway", "metdata: {name: a}\nspec: {}", "3:1", "metadata"],
  ["EndpointSlice", `${meta}addressType: IPv4\nendpoints: [{address: [10.0.0.1]}]`, "5:14", "addresses"],
  ["EndpointSlice", `${meta}addressType: IPv4\nendpoint: []`, "5:1", "endpoints"],
  ["Secret", `${meta}stringdata: {a: b}`, "4:1", "stringData"],
])("a misspelt field of a %s is one finding: %s", (...[kind, text, place, name]) => {
  expect(findingsAbout(kind, text)).toEqual([`KIR1004 ${place} Did you mean "${name}"?`]);
});

test("what the API server writes and others read is no mistake", () => {
  const full = `metadata:
  name: a
  uid: 1-2
  resourceVersion: "1"
  generation: 2
  selfLink: /a
  managedFields: [{manager: kubectl}]
  ownerReferences: []
  finalizers: []
spec:
  type: NodePort
  clusterIP: 10.0.0.1
  clusterIPs: [10.0.0.1]
  ipFamilies: [IPv4]
  ipFamilyPolicy: SingleStack
  internalTrafficPolicy: Cluster
  externalTrafficPolicy: Local
  sessionAffinity: None
  healthCheckNodePort: 3
  ports: [{port: 80, nodePort: 30080}]
status: {loadBalancer: {}}`;
  expect(findingsAbout("Service", full)).toEqual([]);
  const slice = `${meta}addressType: IPv4
endpoints: [{addresses: [10.0.0.1], nodeName: n, hostname: h, hints: {forZones: [{name: z}]}, targetRef: {kind: Pod, uid: "1"}}]`;
  expect(findingsAbout("EndpointSlice", slice)).toEqual([]);
});

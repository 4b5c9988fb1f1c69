import { describe, expect, test } from "vitest";

import { parseManifests } from "../manifest/parse-manifests.ts";
import { buildMesh } from "./build-mesh.ts";
import { checkMesh } from "./check-mesh.ts";
import { resolveGatewayName } from "./gateway-name.ts";
import { resolveHost } from "./host-name.ts";
import type { Mesh, MeshPort } from "./mesh.ts";

function build(text: string): { mesh: Mesh; codes: readonly string[] } {
  const parsed = parseManifests([{ path: "mesh.yaml", text }], { defaultNamespace: "shop" });
  expect(parsed.diagnostics.filter((finding) => finding.level === "error")).toEqual([]);
  const { mesh, diagnostics } = buildMesh(parsed.manifests);
  return { mesh, codes: [...diagnostics, ...checkMesh(mesh)].map((finding) => finding.code) };
}

const gateway = (name: string, namespace: string, created: string): string =>
  `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}, namespace: ${namespace}, creationTimestamp: ${created}}
spec: {selector: {of: ${name}}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}`;

const protocolOf = (port: string): MeshPort["protocol"] | undefined => {
  const text = `apiVersion: v1\nkind: Service\nmetadata: {name: app}\nspec: {ports: [${port}]}`;
  return build(text).mesh.services.get("app.shop.svc.cluster.local")?.ports[0]?.protocol;
};

const local = (name: string, labels: string, more = ""): string =>
  `apiVersion: kirikae.dev/v1alpha1\nkind: LocalWorkload\nmetadata: {name: ${name}}\nspec: {labels: ${labels}, addresses: [127.0.0.1:80]${more}}\n---\n`;

const service = `apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{port: 80, name: http, targetPort: 8080}, {port: 81, name: http-admin, targetPort: admin}], selector: {app: app}}
---
`;

const endpointsOf = (text: string): readonly (readonly [unknown, readonly number[]])[] =>
  (build(text).mesh.services.get("app.shop.svc.cluster.local")?.endpoints ?? []).map(({ source, ports }) => [
    source.kind === "localWorkload" ? source.name : source.address,
    [...ports.keys()],
  ]);

describe("names", () => {
  test.each([
    ["app", "app.shop.svc.cluster.local"],
    ["App", "app.shop.svc.cluster.local"],
    ["app.other", "app.other"],
    ["app.example.com", "app.example.com"],
    ["10.0.0.1", "10.0.0.1"],
    ["::1", "::1"],
    ["*", "*"],
    ["*.example.com", "*.example.com"],
  ])("the host %s is %s", (host, expected) => {
    expect(resolveHost(host, "shop")).toBe(expected);
  });

  test.each([
    ["gw", "shop/gw"],
    ["./gw", "shop/gw"],
    ["edge/gw", "edge/gw"],
    ["gw.edge.svc.cluster.local", "edge/gw"],
    ["mesh", undefined],
  ])("the gateway %s is %s", (name, expected) => {
    expect(resolveGatewayName(name, "shop")).toBe(expected);
  });
});

test("lists are in Istio's order: creation time, then name, then namespace", () => {
  const { mesh } = build(
    [
      gateway("b", "z", "2020-01-01T00:00:00Z"),
      gateway("a", "z", "2021-01-01T00:00:00Z"),
      gateway("c", "z", "~"),
      gateway("b", "x", "2020-01-01T00:00:00Z"),
    ].join("\n---\n"),
  );
  expect(mesh.gateways.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
    "z/c",
    "x/b",
    "z/b",
    "z/a",
  ]);
});

describe("the protocol of a port", () => {
  test.each<[string, MeshPort["protocol"]]>([
    ["{port: 80}", "http"],
    ["{port: 80, name: web}", "http"],
    ["{port: 80, name: http}", "http"],
    ["{port: 80, name: http2-web}", "http2"],
    ["{port: 80, name: grpc}", "http2"],
    ["{port: 80, name: grpc-web}", "http"],
    ["{port: 443, name: https}", "tls"],
    ["{port: 80, name: tcp-db}", "tcp"],
    ["{port: 80, name: redis}", "tcp"],
    ["{port: 3306}", "tcp"],
    ["{port: 53, protocol: UDP}", "udp"],
    ["{port: 80, name: tcp, appProtocol: grpc}", "http2"],
    ["{port: 80, appProtocol: kubernetes.io/h2c}", "http2"],
  ])("%s is %s", (port, expected) => {
    expect(protocolOf(port)).toBe(expected);
  });
});

describe("a LocalWorkload answers", () => {
  test("for the Services that select all of its labels", () => {
    expect(endpointsOf(service + local("a", "{app: app, version: v1}") + local("b", "{app: other}"))).toEqual([
      ["shop/a", [80, 81]],
    ]);
  });

  test("for the ports that lead to its targetPort", () => {
    expect(endpointsOf(service + local("a", "{app: app}", ", targetPort: 8080"))).toEqual([["shop/a", [80]]]);
    expect(endpointsOf(service + local("a", "{app: app}", ", targetPort: admin"))).toEqual([["shop/a", [81]]]);
    expect(endpointsOf(service + local("a", "{app: app}", ", targetPort: 80"))).toEqual([]);
  });

  test("not for a Service without a selector, nor for another namespace", () => {
    const noSelector = service.replace("selector: {app: app}", "selector: {}");
    expect(endpointsOf(noSelector + local("a", "{app: app}"))).toEqual([]);
    const elsewhere = local("a", "{app: app}").replace("{name: a}", "{name: a, namespace: other}");
    expect(endpointsOf(service + elsewhere)).toEqual([]);
  });
});

test("a Service wins over a ServiceEntry for the same host", () => {
  const { mesh, codes } = build(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a}
spec: {hosts: [app.shop.svc.cluster.local], ports: [{number: 90, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{port: 80, name: http}]}
`);
  expect(mesh.services.get("app.shop.svc.cluster.local")?.origin.kind).toBe("Service");
  expect(codes).toContain("KIR1038");
});

import { expect, test } from "vitest";
import { buildMeshModel } from "./mesh-model.ts";

function errorsAndWarnings(text: string): readonly string[] {
  return buildMeshModel([{ path: "a.yaml", text }], { defaultNamespace: "shop" })
    .diagnostics.filter(({ level }) => level !== "info")
    .map(({ code, at }) => `${code} ${at?.line}:${at?.column}`);
}

const service = `apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{name: http, port: 80}]}
---
`;

function routes(rest: string): string {
  return `${service}apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart}
spec:
  hosts: [cart]
${rest}`;
}

function gateway(credential: string, rest = ""): string {
  return `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [shop.example.com]
    tls: {mode: SIMPLE, credentialName: ${credential}}
${rest}`;
}

const secret = `---
apiVersion: v1
kind: Secret
metadata: {name: web, namespace: istio-system}
`;

test.each([
  [
    "a host that is not there, with a subset",
    routes("  http: [{route: [{destination: {host: card, subset: v1}}]}]"),
    "KIR1021 11:33",
  ],
  [
    "a subset of a host that is there",
    routes("  http: [{route: [{destination: {host: cart, subset: v1}}]}]"),
    "KIR1022 11:33",
  ],
  [
    "a name that no gateway can have",
    routes("  gateways: [a/b/c]\n  http: [{route: [{destination: {host: cart}}]}]"),
    "KIR1005 11:14",
  ],
  ["a Secret that is not there", gateway("web"), "KIR1202 9:10"],
  ["a Secret without a key", gateway("web", `${secret}stringData: {tls.crt: x}`), "KIR1203 9:10"],
  [
    "a Secret that cannot be read",
    gateway("web", `${secret}data: {tls.crt: "%", tls.key: YQ==}`),
    "KIR1203 9:10,KIR1005 14:17",
  ],
])("one fault is one finding: %s", (_, text, expected) => {
  expect(errorsAndWarnings(text).join(",")).toBe(expected);
});

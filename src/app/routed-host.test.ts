import { expect, test } from "vitest";
import { buildMeshModel } from "../core/mesh-model.ts";
import { findRoutedHost } from "./routed-host.ts";

/** The host to try at a server with these hosts, before rules for those. */
function hostToTry(admitted: string, routed: string): string | undefined {
  const text = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [${admitted}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec: {hosts: [${routed}], gateways: [web], http: [{directResponse: {status: 200}}]}
`;
  const { table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "default" });
  const [chain] = table.listeners.flatMap(({ filterChains }) => filterChains);
  const [server] = chain?.servers ?? [];
  if (chain === undefined || server === undefined) throw new Error("the gateway has a server");
  return findRoutedHost(table, { chain, hosts: server.hosts });
}

test.each([
  ['"*"', "shop.example.com", "shop.example.com"],
  ['"*.test"', "shop.test", "shop.test"],
  ['"*.test"', '"*.test"', "any.test"],
  ['"*.test"', '"*"', "any.test"],
  ["shop.test", '"*"', "shop.test"],
  ['"*"', '"*.shop.test"', "any.shop.test"],
  ['"*"', '"*"', undefined],
])("a server for %s before a rule for %s is tried with %s", (admitted, routed, expected) => {
  expect(hostToTry(admitted, routed)).toBe(expected);
});

import { expect, test } from "vitest";

import { buildMeshModel } from "../mesh-model.ts";
import { emitEndpoints } from "./endpoints.ts";

test("an endpoint that is a Unix socket is dialled as a pipe, and another by its port", () => {
  const text = ["unix:///run/app.sock", "127.0.0.9"]
    .map(
      (address, index) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: app-${index}, namespace: shop}
spec:
  hosts: [app-${index}.example.com]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: 8080}]
  endpoints: [{address: "${address}"}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: app-${index}, namespace: shop}
spec:
  hosts: [app-${index}.example.com]
  gateways: [gw]
  http: [{route: [{destination: {host: app-${index}.example.com}}]}]
`,
    )
    .join("---");
  const gateway = `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*.example.com"]}]}
`;
  const model = buildMeshModel([{ path: "a.yaml", text: text + gateway }], { defaultNamespace: "default" });
  const addresses = [...model.table.destinations.values()].flatMap((destination) =>
    emitEndpoints(destination, () => []).endpoints.flatMap((group) =>
      group.lbEndpoints.map(({ hostIdentifier }) =>
        hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined,
      ),
    ),
  );
  expect(addresses).toMatchObject([
    { case: "pipe", value: { path: "/run/app.sock" } },
    { case: "socketAddress", value: { address: "127.0.0.9", portSpecifier: { value: 8080 } } },
  ]);
});

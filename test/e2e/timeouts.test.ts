import { expect, test } from "vitest";
import { tableOf } from "../arbitrary/table-of.ts";
import { GatewayClient, startBackend, XdsFixture } from "./xds-fixture.ts";

test("a rule's timeout ends a request with 504, and a rule without one waits", async () => {
  await using backend = await startBackend("slow");
  await using fixture = await XdsFixture.open();
  const target = await fixture.startTarget();
  await fixture.startEnvoy();
  const { table, diagnostics } = tableOf(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: slow}
spec:
  hosts: [app.test]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /bounded}}]
    timeout: 300ms
    route: [{destination: {host: slow.example.com}}]
  - route: [{destination: {host: slow.example.com}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: slow}
spec:
  hosts: [slow.example.com]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: ${backend.port}}]
  endpoints: [{address: 127.0.0.1}]
`);
  expect(diagnostics.filter(({ level }) => level === "error")).toEqual([]);
  await target.applyTable(table, new Map());
  expect(await target.confirm({ timeoutMs: 20_000 })).toMatchObject({ kind: "applied" });
  await fixture.whenLive();
  using client = new GatewayClient(fixture.port, 2);
  const [bounded, unbounded] = await Promise.all([client.get("/bounded?delay=1500"), client.get("/free?delay=1500")]);
  expect(bounded.status).toBe(504);
  expect(unbounded.status).toBe(200);
});

import { expect, test } from "vitest";
import { buildMeshModel } from "../core/mesh-model.ts";
import { explainConnection } from "./explain-connection.ts";
import { explainRequest } from "./explain-request.ts";
import { plainInk } from "./ink.ts";
import { parseRequest } from "./parse-request.ts";
import { renderExplanation } from "./print/explanation.ts";

const text = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*.example.com"]
  - port: {number: 443, name: pass-a, protocol: TLS}
    tls: {mode: PASSTHROUGH}
    hosts: [tls.example.com]
  - port: {number: 3306, name: db, protocol: TCP}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: app, namespace: demo}
spec:
  hosts: [app.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 3306, name: tcp, protocol: TCP}]
  addresses: [192.0.2.9]
  resolution: STATIC
  endpoints: [{address: 192.0.2.1, labels: {v: "1"}}, {address: 192.0.2.2, labels: {v: "2"}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: app, namespace: demo}
spec:
  host: app.example.com
  trafficPolicy:
    connectionPool: {tcp: {maxConnections: 100}}
    portLevelSettings: [{port: {number: 3306}, loadBalancer: {simple: RANDOM}}]
  subsets:
  - {name: v1, labels: {v: "1"}}
  - {name: v2, labels: {v: "2"}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}}
  - {name: v3, labels: {v: "3"}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: demo}
spec:
  hosts: [a.example.com]
  gateways: [web]
  http:
  - match: [{uri: {prefix: /empty}}]
    route: [{destination: {host: app.example.com, port: {number: 80}, subset: v3}}]
  - match: [{uri: {prefix: /absent}}]
    route: [{destination: {host: app.example.com, port: {number: 80}, subset: v9}}]
  - match: [{uri: {prefix: /port}}]
    route: [{destination: {host: app.example.com, port: {number: 81}}}]
  - match: [{uri: {prefix: /host}}]
    route: [{destination: {host: nowhere.example.com, port: {number: 80}}}]
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - match: [{uri: {prefix: /api/}}]
    rewrite: {uri: /, authority: inner.example.com}
    timeout: 3s
    route:
    - {destination: {host: app.example.com, port: {number: 80}, subset: v1}, weight: 90}
    - {destination: {host: app.example.com, port: {number: 80}, subset: v2}, weight: 10}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes, namespace: demo}
spec:
  hosts: [tls.example.com]
  gateways: [web]
  tls:
  - match: [{port: 443, sniHosts: [tls.example.com]}]
    route: [{destination: {host: app.example.com, port: {number: 3306}, subset: v1}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: db, namespace: demo}
spec:
  hosts: ["*"]
  gateways: [web]
  tcp:
  - match: [{port: 3306}]
    route: [{destination: {host: app.example.com, port: {number: 3306}, subset: v2}}]
`;
const { mesh, table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "default" });
const explained = { mesh, table, addresses: new Map<string, readonly string[]>() };
const ask = (url: string) => explainRequest(explained, parseRequest({ url, header: [], method: "GET" }));

test("the whole way of a request is told: rule, shares, what is sent, policy with its origins, what was tried", async () => {
  const answer = ask("http://a.example.com/api/x?y=1");
  const shown = renderExplanation(answer, "GET http://a.example.com/api/x?y=1", plainInk);
  await expect(shown).toMatchFileSnapshot("testdata/explanation.txt");
});

test.each([
  ["/empty", 503, "UH", "the labels of subset v3 select none of the 2 endpoints of app.example.com"],
  ["/absent", 503, "NC", "has no subset v9; its subsets: v1, v2, v3"],
  ["/port", 503, "NC", "has the ports 80, 3306 and not 81"],
  ["/host", 503, "NC", "no Service and no ServiceEntry declares nowhere.example.com"],
  ["/nothing", 404, "NR", "no rule of it takes the request"],
])("%s ends with %i %s, and why", (path, ...[status, flag, cause]) => {
  expect(ask(`http://a.example.com${path}`)).toMatchObject({ status, flag, cause: expect.stringContaining(cause) });
});

test("a host that nobody serves, and a redirect", () => {
  expect(ask("http://b.example.com/")).toMatchObject({
    outcome: "miss",
    cause: expect.stringContaining("virtual host"),
  });
  expect(ask("http://a.example.com/old")).toMatchObject({
    outcome: "redirect",
    location: "http://a.example.com/new",
    cause: null,
  });
});

test("each block of a policy has the place where it was written", () => {
  const [v1, v2] = ask("http://a.example.com/api/").policies;
  expect(v1?.blocks).toMatchObject({
    loadBalancer: undefined,
    connectionPool: { destinationRule: "demo/app", subset: undefined },
  });
  expect(v2?.blocks).toMatchObject({
    loadBalancer: { subset: "v2" },
    connectionPool: { subset: undefined },
    tls: undefined,
  });
});

const connection = (host: string, port: number, serverName?: string) =>
  explainConnection(explained, { from: undefined, host, port, isTls: serverName !== undefined, serverName });

test("a connection is explained by its port and its server name", () => {
  const db = connection("db.example.com", 3306);
  expect(db).toMatchObject({
    outcome: "tcp",
    virtualService: "demo/db",
    arms: [{ subset: "v2", endpoints: ["192.0.2.2:3306"] }],
  });
  expect(db.policies[0]?.blocks).toMatchObject({ loadBalancer: { subset: "v2" } });
  expect(connection("x", 443, "TLS.example.com")).toMatchObject({ outcome: "tcp", virtualService: "demo/bytes" });
  expect(connection("x", 443, "other.example.com")).toMatchObject({
    outcome: "reset",
    cause: expect.stringContaining("tls.example.com"),
  });
  expect(connection("x", 1)).toMatchObject({
    outcome: "reset",
    listener: null,
    cause: expect.stringContaining("80, 443, 3306"),
  });
  expect(connection("x", 80)).toMatchObject({ outcome: "reset", cause: expect.stringContaining("HTTP") });
});

test("https to a port that passes other names on is reset before a request", () => {
  expect(ask("https://unknown.example.com/")).toMatchObject({
    outcome: "reset",
    status: 0,
    cause: expect.stringContaining("tls.example.com"),
  });
});

const gateway = (name: string, host: string) => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ${name}, namespace: demo}
spec:
  selector: {istio: ${name}}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [${host}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: demo}
spec:
  hosts: [${host}]
  gateways: [${name}]
  http: [{match: [{uri: {exact: /old}}], redirect: {uri: /new}}, {match: [{uri: {exact: /own}}], directResponse: {status: 418}}]
---`;

test("where two gateway workloads have one port, the one that serves the host is named, also without a destination", () => {
  const source = gateway("egressgateway", "out.example.com") + gateway("ingressgateway", "in.example.com");
  const built = buildMeshModel([{ path: "mesh.yaml", text: source }], { defaultNamespace: "default" });
  const proxies = ["/old", "/own", "/nothing"].map((path) => {
    const request = parseRequest({ url: `http://in.example.com${path}`, header: [], method: "GET" });
    return explainRequest({ ...built, addresses: new Map() }, request).listener?.proxy;
  });
  expect(proxies).toEqual(Array(3).fill("istio=ingressgateway"));
});

import { expect, test } from "vitest";
import { buildMeshModel } from "../core/mesh-model.ts";
import { plainInk } from "./ink.ts";
import { listRoutes, type ListingChoice } from "./list-routes.ts";
import { renderRoutes } from "./print/routes.ts";

const text = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*.example.com"]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: other, namespace: demo}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [a.example.org]
---
apiVersion: v1
kind: Service
metadata: {name: app, namespace: demo}
spec: {selector: {app: app}, ports: [{name: http, port: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: app, namespace: demo}
spec: {host: app, subsets: [{name: v1, labels: {v: "1"}}, {name: v2, labels: {v: "2"}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: demo}
spec:
  hosts: [a.example.com, elsewhere.example.net]
  gateways: [web]
  http:
  - name: old
    match: [{uri: {prefix: /old}}, {uri: {exact: /older}, headers: {x: {exact: "y"}}}]
    redirect: {uri: /new, redirectCode: 308}
  - match: [{uri: {prefix: /api}}]
    rewrite: {uri: /}
    timeout: 1.5s
    retries: {attempts: 1, perTryTimeout: 250ms, retryOn: "5xx,503"}
    mirror: {host: app, subset: v2}
    mirrorPercentage: {value: 5}
    headers: {request: {set: {authorization: secret-token}, remove: [cookie]}}
    route:
    - {destination: {host: app, subset: v1}, weight: 90}
    - {destination: {host: app, subset: v2}, weight: 10}
  - directResponse: {status: 404, body: {string: nope}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: b, namespace: demo}
spec:
  hosts: [a.example.org]
  gateways: [other]
  http: [{route: [{destination: {host: missing.example.org, port: {number: 80}}}]}]
`;
const { table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "default" });
const render = (choice: ListingChoice): string => renderRoutes(listRoutes(table, choice), plainInk);

test("routes are listed in match order, each with its rule and line, without values of headers", async () => {
  await expect(render({})).toMatchFileSnapshot("testdata/routes.txt");
});

test("a gateway's routes are those of its own hosts, also where two share a port", () => {
  const domains = (choice: ListingChoice) =>
    listRoutes(table, choice).listeners.flatMap(({ filterChains }) =>
      filterChains.flatMap(({ virtualHosts }) => virtualHosts.map(({ domain }) => domain)),
    );
  expect(domains({}).toSorted()).toEqual(["a.example.com", "a.example.org"]);
  expect(domains({ gateway: "demo/web" })).toEqual(["a.example.com"]);
  expect(domains({ gateway: "demo/other" })).toEqual(["a.example.org"]);
  expect(domains({ host: "A.example.com:80" })).toEqual(["a.example.com"]);
  expect(domains({ port: 8080 })).toEqual([]);
  expect(listRoutes(table, { host: "b.example.com" }).listeners).toEqual([]);
});

test.each([
  [{ gateway: "demo/none" }, "demo/other"],
  [{ from: "demo/app" }, "no rule applies"],
  [{ from: "demo/app", gateway: "demo/web" }, "exclude each other"],
])("%j is not there", (choice, message) => {
  const ask = () => listRoutes(table, choice);
  expect(ask).toThrow(expect.objectContaining({ code: "KIR5057", exitStatus: 2 }));
  try {
    ask();
  } catch (error) {
    expect(`${error instanceof Error ? error.message : ""} ${JSON.stringify(error)}`).toContain(message);
  }
});

test("JSON has every key, with null where there is nothing", () => {
  const [listener] = listRoutes(table, { host: "a.example.com" }).listeners;
  const routes = listener?.filterChains[0]?.virtualHosts[0]?.routes ?? [];
  expect(routes.map(({ rule, match, name, conditions }) => [rule, match, name, conditions])).toEqual([
    [0, 0, "old", "path with the prefix /old"],
    [0, 1, "old", 'path exactly /older, header x exactly "y"'],
    [1, 0, null, "path with the prefix /api"],
    [2, null, null, "every request"],
  ]);
  expect(routes[2]?.action).toMatchObject({
    kind: "forward",
    arms: [
      { subset: "v1", port: 8080, weightPercent: 90, exists: true },
      { subset: "v2", weightPercent: 10 },
    ],
    timeoutMs: 1500,
    pathRewrite: { kind: "prefix", value: "/" },
    hostRewrite: null,
  });
  expect(JSON.parse(JSON.stringify(routes[3]))).toMatchObject({
    action: { kind: "direct", status: 404, bodyBytes: 4 },
    fault: null,
    cors: null,
  });
});

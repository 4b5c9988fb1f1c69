import { expect, test } from "vitest";
import { buildMeshModel } from "../../mesh-model.ts";
import { describeServices } from "./describe-services.ts";
import { planMove } from "./plan-move.ts";

const manifests = `
apiVersion: v1
kind: Namespace
metadata: { name: demo, labels: { istio-injection: enabled } }
---
apiVersion: v1
kind: Namespace
metadata: { name: other, labels: { istio-injection: enabled } }
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: app-v1, namespace: demo }
spec: { labels: { app: app, version: v1 }, addresses: ["127.0.0.1:2"] }
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: app-v2, namespace: demo }
spec: { labels: { app: app, version: v2 }, addresses: ["127.0.0.1:3"] }
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: client, namespace: other }
spec: { labels: { app: client }, addresses: ["127.0.0.1:1"] }
---
apiVersion: v1
kind: Service
metadata: { name: app, namespace: demo }
spec: { selector: { app: app }, ports: [{ name: http, port: 80 }, { name: http-admin, port: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: app, namespace: demo }
spec: { host: app, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: app, namespace: other }
spec: { host: app.demo.svc.cluster.local, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: app, namespace: demo }
spec: { hosts: [app], http: [{ route: [{ destination: { host: app, subset: v1 } }] }] }
`;

const { table } = buildMeshModel([{ path: "m.yaml", text: manifests }], { defaultNamespace: "demo" });

test("a rule that leads elsewhere by port and by caller moves as one, with weights for each place", () => {
  const request = { verb: "switch", name: "app", namespace: undefined, route: undefined, to: { v2: 100 } } as const;
  const planning = planMove({
    table,
    current: new Map(),
    request: { ...request, actor: "test", reason: undefined },
    history: [],
  });
  if (planning.kind === "refused") throw planning.error;
  const { changes, from, to, versions } = planning.plan;
  expect({ from, to, rules: changes.map(({ rule }) => rule) }).toEqual({ from: "v1", to: "v2", rules: [0, 0, 0, 0] });
  expect(new Set(changes.map(({ split }) => split)).size).toBe(4);
  const host = "app.demo.svc.cluster.local";
  const gaining = changes.flatMap(({ after }) => Object.keys(after).filter((id) => (after[id] ?? 0) > 0));
  expect(gaining.toSorted()).toEqual([
    `outbound|8080|v2|${host}`,
    `outbound|8080|v2|${host}@other`,
    `outbound|80|v2|${host}`,
    `outbound|80|v2|${host}@other`,
  ]);
  expect(versions.map(({ name }) => name).toSorted()).toEqual(["v1", "v2"]);
});

test("a service is described by its rules and the names that callers know", () => {
  const [service] = describeServices(table, new Map());
  expect(service).toMatchObject({ hosts: ["app.demo.svc.cluster.local"], live: "v1", rules: [{ rule: 0 }] });
  expect(service?.rules).toHaveLength(1);
  expect(service?.versions.map(({ name }) => name)).toEqual(["v1", "v2"]);
});

test("a rule for callers is not moved on port 80 where its destinations are on another", () => {
  const text = `
apiVersion: v1
kind: Namespace
metadata: { name: demo, labels: { istio-injection: enabled } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: client, namespace: demo }
spec: { template: { metadata: { labels: { app: client } } } }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: app, namespace: demo }
spec:
  hosts: [app.demo.svc.cluster.local]
  resolution: STATIC
  ports: [{ number: 9080, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, labels: { version: v1 } }, { address: 127.0.0.2, labels: { version: v2 } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: app, namespace: demo }
spec:
  host: app
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: app, namespace: demo }
spec:
  hosts: [app]
  http: [{ route: [{ destination: { host: app, subset: v1 } }] }]
`;
  const { table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "default" });
  const planning = planMove({
    table,
    current: new Map(),
    request: {
      verb: "switch",
      name: "app",
      namespace: undefined,
      route: undefined,
      to: { v2: 100 },
      actor: "test",
      reason: undefined,
    },
  });
  expect(planning).toMatchObject({
    kind: "plan",
    plan: { changes: [{ after: { "outbound|9080|v2|app.demo.svc.cluster.local": 100 } }], stays: [] },
  });
});

test("a rule that leads elsewhere on another port of a gateway is moved on both", () => {
  const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gw, namespace: demo }
spec:
  selector: { istio: ingressgateway }
  servers:
    - { port: { number: 80, name: http, protocol: HTTP }, hosts: [a.test] }
    - { port: { number: 8080, name: http-admin, protocol: HTTP }, hosts: [a.test] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: front, namespace: demo }
spec: { hosts: [a.test], gateways: [gw], http: [{ route: [{ destination: { host: app, subset: v1 } }] }] }
`;
  const { table } = buildMeshModel(
    [
      { path: "m.yaml", text: manifests },
      { path: "g.yaml", text: gateway },
    ],
    { defaultNamespace: "demo" },
  );
  const request = { verb: "switch", name: "front", namespace: undefined, route: undefined, to: { v2: 100 } } as const;
  const planning = planMove({ table, current: new Map(), request: { ...request, actor: "test", reason: undefined } });
  if (planning.kind === "refused") throw planning.error;
  const host = "app.demo.svc.cluster.local";
  const { changes } = planning.plan;
  expect(new Set(changes.map(({ split }) => split)).size).toBe(2);
  expect(changes.flatMap(({ after }) => Object.keys(after).filter((id) => (after[id] ?? 0) > 0)).toSorted()).toEqual([
    `outbound|8080|v2|${host}`,
    `outbound|80|v2|${host}`,
  ]);
});

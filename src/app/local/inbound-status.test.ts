import { expect, test } from "vitest";
import { buildMeshModel } from "../../core/mesh-model.ts";
import { hasInbound, listInbound } from "./inbound-status.ts";

const injected = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: app}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: tcp, port: 90, targetPort: 9090}]}
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: web, namespace: app}
spec: {labels: {app: web}, command: [node, app.js]}
`;

const tableOf = (text: string) => buildMeshModel([{ path: "m.yaml", text }], { defaultNamespace: "default" }).table;

test("every port of a replica with a sidecar is listed, with what its listener has counted", () => {
  const listed = listInbound(tableOf(injected), {
    counters: new Map([
      [
        "inbound|8080|app/web#0",
        {
          answers: new Map([
            [2, 5],
            [5, 2],
          ]),
          refused: 1,
          connections: 0,
        },
      ],
    ]),
    latencies: new Map([["inbound|8080|app/web#0", { p50Ms: 1.5, p99Ms: 9 }]]),
  });
  expect(listed).toMatchObject([
    { workload: "app/web", replica: 0, port: 8080, protocol: "http", requests: 7, errors: 2, refused: 1 },
    { workload: "app/web", replica: 0, port: 9090, protocol: "tcp", requests: 0, connections: 0, latency: null },
  ]);
  expect(listed[0]?.byClass).toEqual({ "1xx": 0, "2xx": 5, "3xx": 0, "4xx": 0, "5xx": 2 });
});

test("a workload without a sidecar has no such side", () => {
  const table = tableOf(injected.replace("istio-injection: enabled", "team: a"));
  expect(hasInbound(table)).toBe(false);
  expect(listInbound(table, { counters: new Map(), latencies: new Map() })).toEqual([]);
});

import { expect, test } from "vitest";
import { buildMeshModel } from "../mesh-model.ts";
import { parseInboundName } from "./inbound-names.ts";
import { findInboundSteps } from "./inbound-steps.ts";

const text = `
apiVersion: v1
kind: Namespace
metadata: {name: app, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: app}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: plain, namespace: app}
spec:
  selector: {app: plain}
  ports: [{name: http, port: 80}]
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: web, namespace: app}
spec: {labels: {app: web}, command: [node, app.js], replicas: 2}
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: plain, namespace: app}
spec: {labels: {app: plain, sidecar.istio.io/inject: "false"}, command: [node, app.js]}
---
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: client, namespace: app}
spec: {labels: {app: client}, command: [node, app.js]}
`;
const { table } = buildMeshModel([{ path: "m.yaml", text }], { defaultNamespace: "default" });

test("the way to a workload with a sidecar has a step for each replica, and that to one without has none", () => {
  expect(findInboundSteps(table, ["outbound|80||web.app.svc.cluster.local"])).toMatchObject([
    { workload: "app/web", replica: 0, listener: "inbound|8080|app/web#0", cluster: "inbound|8080||app/web#0" },
    { workload: "app/web", replica: 1, listener: "inbound|8080|app/web#1", cluster: "inbound|8080||app/web#1" },
  ]);
  expect(findInboundSteps(table, ["outbound|80||plain.app.svc.cluster.local"])).toEqual([]);
});

test("names of Envoy lead back to the replica", () => {
  const named = { workload: "app/web", port: 8080, replica: 1 };
  expect(parseInboundName("inbound|8080|app/web#1")).toEqual(named);
  expect(parseInboundName("inbound|8080||app/web#1")).toEqual(named);
  expect(parseInboundName("outbound|8080||web.app.svc.cluster.local")).toBeUndefined();
});

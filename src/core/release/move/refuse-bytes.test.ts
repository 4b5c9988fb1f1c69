import { expect, test } from "vitest";
import { buildMeshModel } from "../../mesh-model.ts";
import type { MoveRequest } from "./move.ts";
import { planMove } from "./plan-move.ts";

const text = `
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{name: tcp, port: 9000}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: echo}
spec: {host: echo, subsets: [{name: v1, labels: {v: "1"}}, {name: v2, labels: {v: "2"}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 31400, name: tcp, protocol: TCP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bytes}
spec:
  hosts: ["*"]
  gateways: [web]
  tcp:
  - route:
    - {destination: {host: echo, subset: v1}, weight: 80}
    - {destination: {host: echo, subset: v2}, weight: 20}
`;
const { table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "shop" });
const asked: MoveRequest = {
  verb: "switch",
  name: "bytes",
  namespace: undefined,
  to: { v2: 100 },
  route: undefined,
  actor: "test",
  reason: undefined,
};
const plan = (more: Partial<MoveRequest>) => planMove({ table, current: new Map(), request: { ...asked, ...more } });

test.each([{ name: "bytes" }, { name: "shop/bytes" }, { name: "echo" }, { name: "echo.shop", namespace: "shop" }])(
  "%j is there and carries bytes, so that it is not said to be missing",
  (more) => {
    const planning = plan(more);
    expect(planning).toMatchObject({ kind: "refused", error: { code: "KIR2008" } });
    expect(planning.kind === "refused" && planning.error.message).toContain("shop/bytes carries bytes");
    expect(planning.kind === "refused" && planning.error.hint).toContain("mesh.yaml:26");
  },
);

test.each([{ name: "nobody" }, { name: "bytes", namespace: "other" }])("%j means nothing that is there", (more) => {
  expect(plan(more)).toMatchObject({ kind: "refused", error: { code: "KIR2001" } });
});

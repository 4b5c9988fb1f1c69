import { expect, test } from "vitest";
import { service, tableOf } from "../../../test/arbitrary/table-of.ts";
import type { RouteTable } from "../routes/route-table.ts";
import { complainCallers } from "./complain-callers.ts";

const green = "outbound|80|green|web.default.svc.cluster.local";

function pod(name: string): string {
  return `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {app: ${name}, sidecar.istio.io/inject: "true"}}
spec: {containers: [{name: main, image: none}]}`;
}

function meshed(subsets: readonly string[], weight = 0): RouteTable {
  const own = subsets.map((name) => `{name: ${name}, labels: {version: ${name}}}`).join(", ");
  const rules = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reader}
spec: {host: web, workloadSelector: {matchLabels: {app: reader}}, subsets: [${own}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: [web]
  http:
  - name: main
    route:
    - {destination: {host: web, subset: blue}, weight: 100}
    - {destination: {host: web, subset: green}, weight: ${weight}}`;
  return tableOf([service("web", ["blue", "green"]), rules, pod("reader"), pod("other")].join("\n---\n")).table;
}

test("a version is refused that some callers of the rule have no subset for", () => {
  const moved = new Map([["default/web/main", { [green]: 100 }]]);
  const complaint = complainCallers(meshed(["blue", "old"]), moved);
  expect(complaint?.code).toBe("KIR4029");
  expect(complaint?.message).toContain("has green of web.default.svc.cluster.local");
  expect(complainCallers(meshed(["blue", "green"]), moved)).toBeUndefined();
});

test("what has weight already is no reason, and neither is what gains none", () => {
  expect(complainCallers(meshed(["blue"], 5), new Map([["default/web/main", { [green]: 100 }]]))).toBeUndefined();
  expect(complainCallers(meshed(["blue"]), new Map([["default/web/main", { [green]: 0 }]]))).toBeUndefined();
});

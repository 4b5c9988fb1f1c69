import { expect, test } from "vitest";
import { parseManifests } from "../../manifest/parse-manifests.ts";
import { buildMeshModel } from "../../mesh-model.ts";
import { planMove } from "./plan-move.ts";
import { planRelease, type ReleasePlanning } from "../plan/plan-release.ts";

const routes = (weights: readonly [number, number]): string => `
      - { destination: { host: cart, subset: old }, weight: ${weights[0]} }
      - { destination: { host: cart, subset: new }, weight: ${weights[1]} }`;

const root = (name: string, path: string): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: edge }
spec:
  hosts: [${name}.example.com]
  gateways: [gate]
  http:
  - match: [{ uri: { prefix: ${path} } }]
    delegate: { name: cart-routes, namespace: carts }
  - name: page
    route:
      - { destination: { host: cart.carts.svc.cluster.local, subset: old }, weight: 100 }
`;

const workload = (version: string): string => `
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: { name: ${version}, namespace: carts }
spec: { labels: { app: cart, version: ${version} }, addresses: ["127.0.0.1:1"] }
`;

const text = [
  `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gate, namespace: edge }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }]
`,
  `
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: carts }
spec: { selector: { app: cart }, ports: [{ name: http, port: 80 }] }
`,
  `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: cart, namespace: carts }
spec:
  host: cart
  subsets: [{ name: old, labels: { version: old } }, { name: new, labels: { version: new } }]
`,
  `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: cart-routes, namespace: carts }
spec:
  http:
  - name: main
    route:${routes([100, 0])}
`,
  root("shop", "/cart"),
  root("mobile", "/basket"),
  workload("old"),
  workload("new"),
].join("---");

const { table } = buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "default" });

function plan(strategy: string): ReleasePlanning {
  const release = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r, namespace: carts},
    spec: {routes: [{virtualService: cart-routes}], to: new, strategy: ${strategy}}}`;
  const { manifests } = parseManifests([{ path: "r.yaml", text: release }], { defaultNamespace: "default" });
  const found = manifests.find((manifest) => manifest.kind === "Release");
  if (found === undefined) throw new Error("No Release was read.");
  return planRelease({ table, current: new Map(), release: found, actor: "test" });
}

test("a delegate is its rules wherever they stand, and nothing else there", () => {
  const planning = plan("{canary: {weights: [10]}}");
  if (planning.kind === "refused") throw planning.error;
  const moves = planning.plan.steps.flatMap((step) => ("moves" in step ? step.moves : []));
  expect(moves.map(({ virtualService, changes }) => [virtualService, changes.map(({ ruleName }) => ruleName)])).toEqual(
    [
      ["edge/mobile", ["main"]],
      ["edge/shop", ["main"]],
      ["edge/mobile", ["main"]],
      ["edge/shop", ["main"]],
    ],
  );
});

test("so is what a release lays over routes", () => {
  const planning = plan("{steps: [{mirror: {percent: 5}}, {hold: {}}]}");
  if (planning.kind === "refused") throw planning.error;
  const [mirror] = planning.plan.steps;
  if (mirror?.kind !== "mirror") throw new Error("Nothing is copied.");
  expect(Object.keys(mirror.addition.to)).toHaveLength(2);
});

test("a move of a delegate is refused with where its rules are", () => {
  const request = {
    verb: "switch",
    name: "cart-routes",
    namespace: "carts",
    route: undefined,
    to: { new: 100 },
  } as const;
  const planning = planMove({ table, current: new Map(), request: { ...request, actor: "test", reason: undefined } });
  expect(planning).toMatchObject({
    kind: "refused",
    error: { code: "KIR2001", message: "carts/cart-routes is a delegate: its rules are in edge/mobile and edge/shop." },
  });
});

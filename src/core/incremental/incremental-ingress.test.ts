import { expect, test } from "vitest";
import type { SourceText } from "../manifest/manifest.ts";
import { MeshModelBuilder } from "../mesh-model.ts";

const options = { defaultNamespace: "apps" };

function object(type: string, name: string, rest: object): string {
  const at = type.lastIndexOf("/");
  return JSON.stringify({ apiVersion: type.slice(0, at), kind: type.slice(at + 1), metadata: { name }, ...rest });
}

const meshConfig = (rest: object): string => object("mesh.istio.io/v1alpha1/MeshConfig", "mesh", rest);

const ingressClass = (controller: string): string =>
  object("networking.k8s.io/v1/IngressClass", "edge", { spec: { controller } });

function ingress(paths: readonly (readonly [path: string, port: object])[], rest: object = {}): string {
  const http = {
    paths: paths.map(([path, port]) => ({ path, pathType: "Prefix", backend: { service: { name: "app", port } } })),
  };
  const spec = { ingressClassName: "edge", rules: [{ host: "a.test", http }], ...rest };
  return object("networking.k8s.io/v1/Ingress", "web", { spec });
}

function service(name: string): string {
  return object("v1/Service", "app", { spec: { selector: { app: "app" }, ports: [{ name, port: 80 }] } });
}

/** On the host of the Ingress too, so that the two have a part in one virtual host. */
function virtualService(status: number): string {
  const http = [{ match: [{ uri: { exact: "/own" } }], directResponse: { status } }];
  const gateways = ["gateway"];
  return object("networking.istio.io/v1/VirtualService", "own", { spec: { hosts: ["a.test"], gateways, http } });
}

const gateway = object("networking.istio.io/v1/Gateway", "gateway", {
  spec: {
    selector: { istio: "ingressgateway" },
    servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
  },
});

const named = { name: "http" };
const first: Readonly<Record<string, string>> = {
  mesh: meshConfig({}),
  class: ingressClass("istio.io/ingress-controller"),
  ingress: ingress([["/", { number: 80 }]]),
  service: service("http"),
  own: virtualService(201),
  gateway,
};

/** Each is an edit of what the one before left. */
const edits: readonly (readonly [what: string, file: string, text: string])[] = [
  [
    "a path more",
    "ingress",
    ingress([
      ["/", { number: 80 }],
      ["/b", named],
    ]),
  ],
  ["another name for the port", "service", service("web")],
  ["the name back again", "service", service("http")],
  ["a rule of a VirtualService on the host", "own", virtualService(202)],
  ["another controller", "class", ingressClass("k8s.io/ingress-nginx")],
  ["no class at all", "ingress", ingress([["/", named]], { ingressClassName: null })],
  ["a mesh that takes those too", "mesh", meshConfig({ ingressControllerMode: "DEFAULT" })],
  ["another gateway", "mesh", meshConfig({ ingressControllerMode: "DEFAULT", ingressSelector: "edge" })],
  ["TLS", "ingress", ingress([["/", named]], { ingressClassName: null, tls: [{ secretName: "cert" }] })],
  ["a mesh that takes none", "mesh", meshConfig({ ingressControllerMode: "OFF" })],
];

function sourcesOf(texts: Readonly<Record<string, string>>): readonly SourceText[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text }));
}

test("after edits of what makes an Ingress count, the model is the one that is built anew", () => {
  const builder = new MeshModelBuilder();
  let texts = first;
  let before = builder.buildServable(sourcesOf(texts), options);
  for (const [what, file, text] of edits) {
    texts = { ...texts, [file]: text };
    const sources = sourcesOf(texts);
    const after = builder.buildServable(sources, options);
    const anew = new MeshModelBuilder().buildServable(sources, options);
    expect({ what, table: after.table, mesh: after.mesh }).toEqual({ what, table: anew.table, mesh: anew.mesh });
    expect(builder.finish(after, sources, options).diagnostics).toEqual(anew.diagnostics);
    // Otherwise the edit would prove nothing.
    expect({ what, isSame: after.table === before.table }).toEqual({ what, isSame: false });
    before = after;
  }
});

test("a rule of a VirtualService is patched in beside an Ingress", () => {
  const builder = new MeshModelBuilder();
  builder.buildServable(sourcesOf(first), options);
  const after = builder.buildServable(sourcesOf({ ...first, own: virtualService(202) }), options);
  expect(after.isChecked).toBe(false);
  const [host] = after.table.httpRoutings[0]?.virtualHosts ?? [];
  expect(
    host?.routes.map(({ origin, match }) => `${origin.madeFrom ?? origin.virtualService} ${match.path.value}`),
  ).toEqual(["apps/own /own", "Ingress apps/web /"]);
});

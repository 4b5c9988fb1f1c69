import { expect, test } from "vitest";
import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { KubeKind, KubeObject } from "../../../kubernetes/kube-object.ts";
import { gatewayPlaces } from "./gateway-places.ts";
import { listSite } from "./list-site.ts";
import { renderRbac } from "../doctor/render-rbac.ts";

const apiVersion = "networking.istio.io/v1";

function routes(...gateways: readonly string[]): KubeObject {
  return { apiVersion, kind: "VirtualService", metadata: { namespace: "shop", name: "web" }, spec: { gateways } };
}

/** A cluster where one user may list in two namespaces, and nothing as a whole. */
function limited(items: ReadonlyMap<KubeKind, readonly KubeObject[]>): KubeApi {
  const api: Pick<KubeApi, "list" | "get" | "serves"> = {
    serves: (kind) => Promise.resolve(kind !== kubeKinds.httpRoute),
    list(kind, options) {
      const { namespace } = options ?? {};
      if (namespace !== "shop" && (namespace !== "edge" || kind !== kubeKinds.gateway)) {
        throw new KubeError("KIR4005", "not allowed", { exitStatus: 3, status: 403 });
      }
      const found = (items.get(kind) ?? []).filter(({ metadata }) => metadata.namespace === namespace);
      return Promise.resolve({ resourceVersion: "1", items: found });
    },
    get: () => Promise.resolve(undefined),
  };
  return api as KubeApi;
}

test("the Gateways of other namespaces are found by the names that routes give", () => {
  expect(gatewayPlaces([routes("edge/public", "own", "./own", "mesh", "shop/web", "a/b")])).toEqual(["a", "edge"]);
  expect(gatewayPlaces([{ apiVersion, kind: "VirtualService", metadata: { name: "web" } }])).toEqual([]);
});

test("who may not look everywhere sees the Gateways that the routes name", async () => {
  const gateway = { apiVersion, kind: "Gateway", metadata: { namespace: "edge", name: "public" }, spec: {} };
  const items = new Map([
    [kubeKinds.virtualService, [routes("edge/public")]],
    [kubeKinds.gateway, [gateway]],
  ]);
  const { objects, unseen } = await listSite({
    api: limited(items),
    namespaces: ["shop"],
    istioNamespace: "istio-system",
  });
  expect(objects.object(kubeKinds.gateway, { namespace: "edge", name: "public" })).toMatchObject(gateway);
  expect(unseen).toContainEqual({ kind: kubeKinds.pod, namespace: "edge", why: "not allowed" });
  const kinds = unseen.map(({ kind }) => kind);
  expect(kinds).toContain(kubeKinds.grpcRoute);
  // What the API does not serve is not there, and hides nothing.
  expect(kinds).not.toContain(kubeKinds.httpRoute);
});

test("roles for one namespace are also about where its Gateways are", () => {
  const yaml = renderRbac({ namespace: "shop", istioNamespace: "istio-system", gatewayNamespaces: ["edge"] });
  const roles = yaml.split("---\n");
  expect(roles.map((role) => /namespace: (?<place>\S+)/u.exec(role)?.groups?.["place"])).toEqual([
    "shop",
    "istio-system",
    "edge",
  ]);
  expect(roles[2]).toContain("- gateways");
  expect(roles[2]).not.toContain("patch");
  expect(yaml).not.toContain("- namespaces");
  expect(renderRbac({ namespace: undefined, istioNamespace: "istio-system" })).toContain("- namespaces");
});

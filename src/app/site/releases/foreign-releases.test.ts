import { expect, test } from "vitest";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { refuseForeignRelease } from "./foreign-releases.ts";

type Route = { readonly virtualService: string; readonly namespace?: string };

function release(phase: string | undefined, routes: readonly Route[], namespace = "shop"): KubeObject {
  return {
    apiVersion: "kirikae.dev/v1alpha1",
    kind: "Release",
    metadata: { name: "to-green", namespace },
    spec: { to: "green", routes },
    ...(phase !== undefined && { status: { phase } }),
  };
}

function refusalOf(object: KubeObject, ...moved: readonly string[]): string | undefined {
  try {
    refuseForeignRelease({ objects: () => [object] }, moved);
    return undefined;
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
}

test.each([
  ["shop/web", [{ virtualService: "web" }]],
  ["shop/web", [{ virtualService: "shop/web" }]],
  ["edge/web", [{ virtualService: "web", namespace: "edge" }]],
])("%s, which a Release under way moves, is not moved by hand", (service, routes) => {
  expect(refusalOf(release("Holding", routes), service)).toBe(
    `KIR4060 ${service} belongs to the Release shop/to-green of the cluster, which is under way.`,
  );
  expect(refusalOf(release("Holding", routes), "shop/other")).toBeUndefined();
});

test.each([
  ["east:shop/web", [{ virtualService: "web" }]],
  ["east:shop/web", [{ virtualService: "shop/web" }]],
  ["east:edge/web", [{ virtualService: "web", namespace: "edge" }]],
])("of several clusters, %s is not moved, and its namesake in another one is", (service, routes) => {
  const object = release("Holding", routes, "east:shop");
  expect(refusalOf(object, service)).toContain("KIR4060");
  expect(refusalOf(object, service.replace("east", "west"))).toBeUndefined();
});

test.each(["Done", "RolledBack", "Aborted", "Refused", undefined])("one that is %s has nothing to say", (phase) => {
  expect(refusalOf(release(phase, [{ virtualService: "web" }]), "shop/web")).toBeUndefined();
});

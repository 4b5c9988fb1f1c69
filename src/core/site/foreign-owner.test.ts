import { describe, expect, test } from "vitest";
import { findForeignOwner } from "./foreign-owner.ts";
import type { FieldOwner, SiteObject } from "./site-object.ts";

const http = { "f:spec": { "f:http": {} } };

function owned(owners: readonly FieldOwner[], annotation?: string): SiteObject {
  const annotations = annotation === undefined ? {} : { annotations: { "kirikae.dev/takes-over-from": annotation } };
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web", namespace: "shop", managedFields: owners, ...annotations },
  };
}

const flux: FieldOwner = { manager: "kustomize-controller", operation: "Apply", fieldsV1: http };
const flagger: FieldOwner = { manager: "flagger", operation: "Update", fieldsV1: http };
const nobody = { takeOver: [] };

describe("who would set the rules back", () => {
  test.each<readonly [string, FieldOwner, string | undefined]>([
    ["whoever applies with server-side apply", flux, "kustomize-controller"],
    ["a program that moves weights", flagger, "flagger"],
    ["one that owns the whole spec", { ...flux, fieldsV1: { "f:spec": {} } }, "kustomize-controller"],
    [
      "one that owns entries",
      { ...flux, fieldsV1: { "f:spec": { "f:http": { 'v:{"name":"a"}': {} } } } },
      "kustomize-controller",
    ],
    ["not kirikae", { ...flux, manager: "kirikae" }, undefined],
    ["not a tool that writes once", { ...flagger, manager: "kubectl-client-side-apply" }, undefined],
    ["not Helm, nor Argo CD without server-side apply", { ...flagger, manager: "argocd-controller" }, undefined],
    ["not one that owns something else", { ...flux, fieldsV1: { "f:spec": { "f:hosts": {} } } }, undefined],
    ["not one of the status", { ...flux, subresource: "status" }, undefined],
    ["not one without fields", { manager: "flagger", operation: "Apply" }, undefined],
  ])("is %s", (_name, owner, manager) => {
    expect(findForeignOwner(owned([owner]), nobody)?.manager).toBe(manager);
  });

  test("says how it writes and why it does not let go", () => {
    expect(findForeignOwner(owned([flux]), nobody)).toEqual({
      manager: "kustomize-controller",
      operation: "Apply",
      reason: "applies the rules with server-side apply",
    });
    expect(findForeignOwner(owned([flagger]), nobody)?.reason).toBe("moves weights by itself");
  });

  test("is nobody who may be taken over from", () => {
    expect(findForeignOwner(owned([flux, flagger]), { takeOver: ["kustomize-controller", "flagger"] })).toBeUndefined();
    expect(findForeignOwner(owned([flux], "helm, kustomize-controller"), nobody)).toBeUndefined();
    expect(findForeignOwner(owned([flux, flagger], "kustomize-controller"), nobody)?.manager).toBe("flagger");
  });

  test("is nobody where nothing is known", () => {
    expect(findForeignOwner({ ...owned([]), metadata: { name: "web" } }, nobody)).toBeUndefined();
  });
});

import { expect, test } from "vitest";
import { parseManifests } from "./parse-manifests.ts";

function parse(spec: string) {
  const text = `apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web, namespace: shop}\nspec: ${spec}\n`;
  return parseManifests([{ path: "rollout.yaml", text }], { defaultNamespace: "default" });
}

test("a Rollout makes pods with the labels of its template, as a Deployment does", () => {
  const { manifests, diagnostics } = parse(
    "{replicas: 3, template: {metadata: {labels: {app: web}}}, strategy: {canary: {}}}",
  );
  expect(diagnostics).toEqual([]);
  expect(manifests).toMatchObject([{ kind: "Rollout", spec: { podLabels: { app: "web" }, replicas: 3 } }]);
});

test("a Rollout that names another object makes none by itself", () => {
  const { manifests, diagnostics } = parse("{workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}}");
  expect(manifests).toEqual([]);
  expect(diagnostics.map(({ code }) => code)).toEqual(["KIR1009"]);
});

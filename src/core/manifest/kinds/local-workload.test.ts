import { expect, test } from "vitest";
import { parseManifests } from "../parse-manifests.ts";

function specOf(spec: string): unknown {
  const text = [
    "apiVersion: kirikae.dev/v1alpha1",
    "kind: LocalWorkload",
    "metadata: {name: app, namespace: demo}",
    "spec:",
    "  labels: {app: app}",
    ...spec.split("\n").map((line) => `  ${line}`),
  ].join("\n");
  const { manifests, diagnostics } = parseManifests([{ path: "local.yaml", text }], { defaultNamespace: "default" });
  return diagnostics.length > 0 ? diagnostics.map(({ message }) => message) : manifests[0]?.spec;
}

test.each(["readiness: {http: /ready}", "readiness: {http: {path: /ready}}"])("a path to ask: %s", (readiness) => {
  expect(specOf(`command: [app]\n${readiness}`)).toMatchObject({ source: { readiness: { path: "/ready" } } });
});

test("addresses are watched by what the manifest says", () => {
  expect(specOf("addresses: [127.0.0.1:8081]\nreadiness: {http: /ready, interval: 2s}")).toMatchObject({
    source: {
      addresses: [{ host: "127.0.0.1", port: 8081 }],
      readiness: { path: "/ready", intervalMs: 2000, timeoutMs: 1000 },
    },
  });
});

test.each(["env: {COLOR: blue}", "env: [{name: COLOR, value: blue}]"])("an environment as %s", (env) => {
  expect(specOf(`command: [app]\n${env}`)).toMatchObject({ source: { env: { COLOR: "blue" } } });
});

test("a variable without a value is named", () => {
  expect(specOf("command: [app]\nenv: [{name: COLOR}]")).toEqual([expect.stringContaining("spec.env[0]")]);
});

import { describe, expect, test } from "vitest";
import { parseManifests } from "../parse-manifests.ts";

function specOf(more: string): unknown {
  const spec = `{routes: [{virtualService: web}], to: green, strategy: {blueGreen: {}}, ${more}}`;
  const metadata = "{name: to-green, namespace: shop}";
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: ${metadata}, spec: ${spec}}`;
  const { manifests, diagnostics } = parseManifests([{ path: "release.yaml", text }], { defaultNamespace: "default" });
  return diagnostics.length > 0 ? diagnostics.map(({ message }) => message) : manifests[0]?.spec;
}

test("what a Release says of its cluster is read", () => {
  const spec = specOf(
    [
      "takeOver: [flagger]",
      "proof: {unreachable: goOn, timeout: 5m}",
      "whenDeleted: restore",
      "subsets: [{destinationRule: web, add: [{name: green, labels: {version: green}}]}, {destinationRule: pay/web, remove: [blue]}]",
      "sites: {contexts: [east, west], order: together}",
    ].join(", "),
  );
  expect(spec).toMatchObject({
    takeOver: ["flagger"],
    proof: { unreachable: "goOn", timeoutMs: 300_000 },
    whenDeleted: "restore",
    subsets: [
      { namespace: "shop", destinationRule: "web", add: [{ name: "green", labels: { version: "green" } }], remove: [] },
      { namespace: "pay", destinationRule: "web", add: [], remove: ["blue"] },
    ],
    sites: { contexts: ["east", "west"], order: "together" },
  });
});

test("a proof waits for every proxy, and sites go one after the other, unless the Release says otherwise", () => {
  expect(specOf("proof: {}, sites: {contexts: [east]}")).toMatchObject({
    proof: { unreachable: "wait", timeoutMs: undefined },
    sites: { order: "oneAfterTheOther" },
  });
});

describe("what is refused", () => {
  test.each([
    ["takeOver: []", "must not be empty"],
    ["takeOver: [flagger, flagger]", "names flagger twice"],
    ["proof: {unreachable: never}", "none of wait, goOn"],
    ["whenDeleted: forget", "none of restore, leave"],
    ["subsets: [{destinationRule: web}]", "adds no subset and removes none"],
    ["subsets: [{destinationRule: a/b/c, remove: [blue]}]", "name or namespace/name"],
    ["subsets: [{destinationRule: web, add: [{name: blue, labels: {}}], remove: [blue]}]", "adds and removes blue"],
    ["subsets: [{destinationRule: web, remove: [blue]}, {destinationRule: shop/web, remove: [v1]}]", "shop/web twice"],
    ["subsets: [{destinationRule: web, add: [{name: green, labels: {'a b': x}}]}]", "label"],
    ["sites: {contexts: []}", "must not be empty"],
    ["sites: {contexts: [east, east]}", "names east twice"],
  ])("%s", (text, complaint) => {
    expect(specOf(text)).toEqual([expect.stringContaining(complaint)]);
  });
});

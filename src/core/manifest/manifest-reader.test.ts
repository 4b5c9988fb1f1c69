import { expect, test } from "vitest";
import { createManifestReader } from "./manifest-reader.ts";
import { type ParsedManifests, parseManifests } from "./parse-manifests.ts";

const options = { defaultNamespace: "default" };
/** One object, and one with a finding. */
const service = (name: string) =>
  [
    `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}]}`,
    `apiVersion: networking.istio.io/v1\nkind: VirtualServic\nmetadata: {name: ${name}}`,
  ].join("\n---\n");
const source = (path: string, text: string) => ({ path, text });

const listsOf = ({ manifests, diagnostics }: ParsedManifests) => ({ manifests, diagnostics });

test("a reader says what parseManifests says, and keeps what did not change", () => {
  const read = createManifestReader();
  const first = [source("a.yaml", service("a")), source("b.yaml", service("b"))];
  const before = read(first, options);
  expect(listsOf(before)).toEqual(parseManifests(first, options));

  const second = [source("b.yaml", service("b")), source("a.yaml", service("c"))];
  const after = read(second, options);
  expect(listsOf(after)).toEqual(parseManifests(second, options));
  expect(after.manifests[0]).toBe(before.manifests[1]);
  expect(after.diagnostics.map(({ at }) => at?.file)).toEqual(["b.yaml", "a.yaml"]);
});

test("a text under another path or in another namespace is read anew", () => {
  const read = createManifestReader();
  read([source("a.yaml", service("a"))], options);
  expect(read([source("b.yaml", service("a"))], options).manifests[0]?.at.file).toBe("b.yaml");
  const other = read([source("b.yaml", service("a"))], { defaultNamespace: "other" });
  expect(other.manifests[0]?.metadata.namespace).toBe("other");
});

test("what a call does not name is forgotten", () => {
  const read = createManifestReader();
  const [manifest] = read([source("a.yaml", service("a"))], options).manifests;
  read([], options);
  expect(read([source("a.yaml", service("a"))], options).manifests[0]).not.toBe(manifest);
});

test("a reader tells which texts changed, as long as none came, went or moved", () => {
  const read = createManifestReader();
  const texts = [source("a.yaml", service("a")), source("b.yaml", service("b"))];
  expect(read(texts, options).changed).toBeUndefined();
  expect(read(texts, options).changed).toEqual([]);
  const saved = read(texts.with(1, source("b.yaml", service("c"))), options).changed;
  expect(
    saved?.map(({ before, after }) => [before, after].map(({ manifests }) => manifests[0]?.metadata.name)),
  ).toEqual([["b", "c"]]);
  expect(read(texts.slice(1), options).changed).toBeUndefined();
});

import { expect, test } from "vitest";
import { renderPosition } from "../../diagnostics/position.ts";
import { parseManifests } from "../parse-manifests.ts";
import { FieldIndex } from "./field-index.ts";

const object = {
  apiVersion: "networking.istio.io/v1",
  metadata: { name: "web", annotations: { "kirikae.dev/a": "x: {[,]}" } },
  spec: { hosts: ["a", "b"], http: [{ name: "one" }, { route: [{ weight: 5 }, { weight: -1 }], match: [] }] },
};

test.each([undefined, 2])("names the field that begins at an offset of JSON with indentation %s", (indentation) => {
  const text = JSON.stringify(object, null, indentation);
  const index = new FieldIndex("VirtualService shop/web", text);
  const at = (part: string): string => index.positionOf(text.indexOf(part)).field ?? "none";
  expect(index.positionOf(0).field).toBe("");
  expect(at('"apiVersion"')).toBe("apiVersion");
  expect(at('"kirikae.dev/a"')).toBe("metadata.annotations['kirikae.dev/a']");
  expect(at('"x: {')).toBe("metadata.annotations['kirikae.dev/a']");
  expect(at('"b"')).toBe("spec.hosts[1]");
  expect(at('"one"')).toBe("spec.http[0].name");
  expect(at("-1")).toBe("spec.http[1].route[1].weight");
  expect(at('"match"')).toBe("spec.http[1].match");
});

test("keeps two places of one object apart, and shows neither line nor column", () => {
  const text = JSON.stringify(object);
  const index = new FieldIndex("VirtualService shop/web", text);
  const [one, two] = [index.positionOf(text.indexOf('"a"')), index.positionOf(text.indexOf('"b"'))];
  expect(one.column).toBeLessThan(two.column);
  expect(renderPosition(two)).toBe("VirtualService shop/web spec.hosts[1]");
  expect(renderPosition(index.positionOf(0))).toBe("VirtualService shop/web");
});

test("findings about an object of an API server name its fields", () => {
  const bad = { ...object, kind: "VirtualService", spec: { ...object.spec, http: [{ route: [{ weight: -1 }] }] } };
  const source = { path: "VirtualService shop/web", text: JSON.stringify(bad), isObject: true } as const;
  const { diagnostics } = parseManifests([source], { defaultNamespace: "default" });
  expect(diagnostics.map(({ at }) => at && renderPosition(at))).toContain(
    "VirtualService shop/web spec.http[0].route[0].weight",
  );
});

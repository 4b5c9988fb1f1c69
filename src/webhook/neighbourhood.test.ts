import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { SourceText } from "../core/manifest/manifest.ts";
import { renderSiteSource } from "../core/site/render-site-source.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import { judgedKinds } from "./judged-kinds.ts";
import { findNeighbours } from "./neighbourhood.ts";
import { findNew } from "./new-findings.ts";

const folder = fileURLToPath(new URL("../../testdata/istiod/", import.meta.url));
const judged: ReadonlySet<string> = new Set([
  "VirtualService",
  "DestinationRule",
  "Gateway",
  "ServiceEntry",
  "Sidecar",
]);
const options = { nowMs: 0, leavesOut: () => false, signal: new AbortController().signal };

/** Every case that kirikae is held against istiod with, each a small cluster. */
function readCases(): readonly { readonly name: string; readonly objects: readonly KubeObject[] }[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => ({
      name,
      objects: readObjects(readFileSync(folder + name, "utf8").replaceAll(/\$\{[^}]*\}/gu, "1")),
    }));
}

function readObjects(text: string): readonly KubeObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => typeof object?.metadata?.name === "string")
    .map((object) => object as KubeObject)
    .map((object) => ({ ...object, metadata: { namespace: "default", ...object.metadata } }));
}

function render(object: KubeObject): SourceText {
  return { ...renderSiteSource(object), isObject: true };
}

test("the words of every judged kind are known", () => {
  expect(judgedKinds[0].resources).toHaveLength(judged.size);
});

/** By what they say, because a change of order is none. */
async function say(before: readonly SourceText[], after: readonly SourceText[]): Promise<readonly string[]> {
  const found = (await findNew(before, after, options)) ?? expect.unreachable();
  return found
    .filter(({ level }) => level === "error")
    .map(({ code, resource, message }) => `${code} ${resource} ${message}`)
    .toSorted();
}

test("an object's neighbours say of it what the whole cluster says", { timeout: 120_000 }, async () => {
  const cases = readCases();
  expect(cases.length).toBeGreaterThan(20);
  // One cluster of everything would not be one, so that each case stands beside one that has nothing to do with it.
  let asked = 0;
  let found = 0;
  for (const [index, { name, objects }] of cases.entries()) {
    const strangers = (cases[(index + 1) % cases.length]?.objects ?? []).map(moveAway);
    const all = [...objects, ...strangers].map(render);
    for (const object of objects.filter(({ kind }) => judged.has(kind))) {
      const { path } = render(object);
      const without = all.filter((source) => source.path !== path);
      const whole = [await say(all, without), await say(without, all)];
      const close = findNeighbours(all, [object]);
      const closeWithout = close.filter((source) => source.path !== path);
      const withIt = [...closeWithout, render(object)];
      const told = [await say(withIt, closeWithout), await say(closeWithout, withIt)];
      expect([name, path, ...told]).toEqual([name, path, ...whole]);
      asked += 1;
      found += whole.flat().length;
    }
  }
  expect(asked).toBeGreaterThan(50);
  expect(found).toBeGreaterThan(50);
});

/** To a namespace of its own, with hosts of its own. */
function moveAway(object: KubeObject): KubeObject {
  const text = JSON.stringify(object).replaceAll("example.com", "elsewhere.test");
  const moved = JSON.parse(text) as KubeObject;
  return { ...moved, metadata: { ...moved.metadata, namespace: "far-away" } };
}

import * as fc from "fast-check";
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { buildMeshModel } from "../src/core/mesh-model.ts";
import { collectDonors, drawsOf, mutateManifest } from "./arbitrary/mutate-manifest.ts";

/** `npm run soak:manifests` asks for fifty thousand. */
const rounds = Number(process.env["KIRIKAE_MUTATIONS"] ?? 500);

/** Whoever saves such a file waits. The better of two tries counts, because other work on the machine is no fault. */
const longestMs = 1000;

const corpus = globSync("{testdata/*/*.in.yaml,testdata/support/*.yaml,examples/*/*.yaml}")
  .toSorted()
  .map((path) => readFileSync(path, "utf8"));

test(`none of ${rounds} mutated manifests throws or takes a second`, { timeout: 60_000 + rounds * 50 }, () => {
  expect(corpus.length).toBeGreaterThan(50);
  const donors = collectDonors(corpus);
  const manifest = fc.tuple(fc.constantFrom(...corpus), fc.nat()).map(([text, seed]) => ({
    toString: () => mutateManifest(text, donors, drawsOf(seed)),
  }));
  const details = fc.check(
    fc.property(manifest, (mutated) => {
      const text = mutated.toString();
      return timeOf(text) < longestMs || timeOf(text) < longestMs;
    }),
    { numRuns: rounds },
  );
  expect(details.failed ? fc.defaultReportMessage(details) : undefined).toBeUndefined();
});

function timeOf(text: string): number {
  const start = performance.now();
  buildMeshModel([{ path: "mutated.yaml", text }], { defaultNamespace: "default" });
  return performance.now() - start;
}

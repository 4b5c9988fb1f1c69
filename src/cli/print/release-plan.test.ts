import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { buildMeshModel } from "../../core/mesh-model.ts";
import { planRelease } from "../../core/release/plan-release.ts";
import { plainInk } from "../ink.ts";
import { renderReleasePlan } from "./release-plan.ts";

const example = fileURLToPath(new URL("../../../examples/blue-green/", import.meta.url));

test("a plan shows what changes in each step and what undoes it", () => {
  const sources = readdirSync(example)
    .filter((file) => file.endsWith(".yaml"))
    .map((path) => ({ path, text: readFileSync(`${example}${path}`, "utf8") }));
  const { mesh, table } = buildMeshModel(sources, { defaultNamespace: "default" });
  const release = mesh.manifests.find((manifest) => manifest.kind === "Release");
  if (release === undefined) throw new Error("The example has no Release.");
  const planning = planRelease({ table, current: new Map(), release, actor: "test" });
  if (planning.kind === "refused") throw planning.error;
  expect(renderReleasePlan(planning.plan, plainInk)).toMatchInlineSnapshot(`
    "Release  sample-ns/to-green to green
      1  weight
         sample-ns/sample-app
           public  rule 1 (public)  blue 100 to 99 %, green 0 to 1 %  undo: blue 99 to 100 %, green 1 to 0 %
      2  hold  for 10 min; no request changes its way
      3  weight
         sample-ns/sample-app
           public  rule 1 (public)  blue 99 to 90 %, green 1 to 10 %  undo: blue 90 to 99 %, green 10 to 1 %
      4  hold  for 10 min; no request changes its way
      5  weight
         sample-ns/sample-app
           public  rule 1 (public)  blue 90 to 50 %, green 10 to 50 %  undo: blue 50 to 90 %, green 50 to 10 %
      6  hold  for 10 min; no request changes its way
      7  approve  waits for the yes of one person: Do the figures of green look right?
      8  switch
         sample-ns/sample-app
           preview  rule 0 (preview)  green 100 to 0 %, blue 0 to 100 %  undo: green 0 to 100 %, blue 100 to 0 %
           public   rule 1 (public)   blue 50 to 0 %, green 50 to 100 %  undo: blue 0 to 50 %, green 100 to 50 %"
  `);
});

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sketchTable } from "../../../test/route-table.fixture.ts";
import { parseManifests } from "../../core/manifest/parse-manifests.ts";
import { buildMeshModel } from "../../core/mesh-model.ts";
import { describeReach } from "../../core/release/plan/describe-reach.ts";
import { planRelease } from "../../core/release/plan/plan-release.ts";
import { mergeTables, qualifyTable } from "../../core/routes/qualify-table.ts";
import { plainInk } from "../ink.ts";
import { renderReleasePlan } from "./release-plan.ts";

const example = fileURLToPath(new URL("../../../examples/blue-green/", import.meta.url));

function planExample(spec?: string): string {
  const sources = readdirSync(example)
    .filter((file) => file === "release.yaml" || !file.startsWith("release"))
    .filter((file) => file.endsWith(".yaml"))
    .map((path) => ({ path, text: readFileSync(`${example}${path}`, "utf8") }))
    .map(({ path, text }) => ({ path, text: path === "release.yaml" && spec !== undefined ? headOf(spec) : text }));
  const { mesh, table } = buildMeshModel(sources, { defaultNamespace: "default" });
  const release = mesh.manifests.find((manifest) => manifest.kind === "Release");
  if (release === undefined) throw new Error("The example has no Release.");
  const planning = planRelease({ table, current: new Map(), release, actor: "test" });
  if (planning.kind === "refused") throw planning.error;
  return renderReleasePlan(planning.plan, describeReach(table, planning.plan), plainInk);
}

function headOf(spec: string): string {
  const metadata = "{name: to-green, namespace: sample-ns}";
  return `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: ${metadata}, spec: ${spec}}`;
}

test("a plan shows what changes in each step and what undoes it", () => {
  expect(planExample()).toMatchInlineSnapshot(`
    "Release  sample-ns/to-green to green
      sample-ns/sample-app  rule 0 (preview)  requests with header x-version exactly "green" of sample.hoge.com
      sample-ns/sample-app  rule 1 (public)   every request of sample.hoge.com
      1  weight
         sample-ns/sample-app
           public  rule 1 (public)  blue 100 to 99 %, green 0 to 1 %  undo: blue 99 to 100 %, green 1 to 0 %
         1 of 100 public requests change their way; what is not listed here cannot
      2  hold  for 10 min; no request changes its way
      3  weight
         sample-ns/sample-app
           public  rule 1 (public)  blue 99 to 90 %, green 1 to 10 %  undo: blue 90 to 99 %, green 10 to 1 %
         9 of 100 public requests change their way; what is not listed here cannot
      4  hold  for 10 min; no request changes its way
      5  weight
         sample-ns/sample-app
           public  rule 1 (public)  blue 90 to 50 %, green 10 to 50 %  undo: blue 50 to 90 %, green 50 to 10 %
         40 of 100 public requests change their way; what is not listed here cannot
      6  hold  for 10 min; no request changes its way
      7  approve  waits for the yes of one person: Do the figures of green look right?
      8  switch
         sample-ns/sample-app
           preview  rule 0 (preview)  green 100 to 0 %, blue 0 to 100 %  undo: green 0 to 100 %, blue 100 to 0 %
           public   rule 1 (public)   blue 50 to 0 %, green 50 to 100 %  undo: blue 0 to 50 %, green 100 to 50 %
         50 of 100 public requests change their way; what is not listed here cannot"
  `);
});

test("a plan says which requests an addition leads elsewhere, and that no other can go there", () => {
  const marks = "[{headers: {x-staff: '1'}, cookies: {beta: {}}}, {queryParams: {v: next}}]";
  const steps = `[{preview: {name: staff, match: ${marks}}}, {mirror: {percent: 5}}, {mirror: {percent: 0}}, {switch: {}}]`;
  const plan = planExample(
    `{routes: [{virtualService: sample-app}], to: green, sessionAffinity: {}, strategy: {steps: ${steps}}}`,
  );
  expect(plan).toMatchInlineSnapshot(`
    "Release  sample-ns/to-green to green
      sample-ns/sample-app  rule 0 (preview)  requests with header x-version exactly "green" of sample.hoge.com
      sample-ns/sample-app  rule 1 (public)   every request of sample.hoge.com
      1  affinity
         visitors keep the version of their first visit, by the cookie kirikae-visitor, for as long as the weights let them
         at sample-ns/sample-app rule 1 (public): every request of sample.hoge.com
         no version gets another share
         undo: each request is drawn by itself
      2  preview staff
         requests with header x-staff exactly "1" and cookie beta present go to green
         requests with query parameter v exactly "next" go to green
         at sample-ns/sample-app rule 1 (public): every request of sample.hoge.com
         no other request changes its way
         undo: they go where the weights say
      3  mirror
         5 % of GET, HEAD requests are copied to green
         at sample-ns/sample-app rule 1 (public): every request of sample.hoge.com
         no request changes its way, and nobody waits for what copies are answered
         undo: nothing is copied
      4  mirror
         nothing is copied any more; no request changes its way
      5  switch
         sample-ns/sample-app
           preview  rule 0 (preview)  green 100 to 0 %, blue 0 to 100 %  undo: green 0 to 100 %, blue 100 to 0 %
           public   rule 1 (public)   blue 100 to 0 %, green 0 to 100 %  undo: blue 0 to 100 %, green 100 to 0 %
         100 of 100 public requests change their way; what is not listed here cannot
      6  finish  takes away what the steps before have added to the routes: every request goes where the weights say"
  `);
});

test("a plan says what lost requests mean, and compares answers in a sentence", () => {
  const steps = "[{mirror: {percent: 5, compare: {}}}, {switch: {}}]";
  const plan = planExample(
    `{routes: [{virtualService: sample-app}], to: green, maxFailed: 0, strategy: {steps: ${steps}}}`,
  );
  expect(plan).toContain("requests are copied to green, and kirikae compares status");
  expect(plan).toContain("A request that fails while a step moves weights takes the release back.");
});

const planOf = (steps: string): string =>
  planExample(`{routes: [{virtualService: sample-app}], to: green, strategy: {steps: [${steps}]}}`);

test("a plan says where nothing waits for those who want to look", () => {
  const preview = "{preview: {name: qa, match: [{headers: {x-qa: {}}}]}}";
  expect(planOf(`${preview}, {weight: 5}, {switch: {}}`)).toContain("Nothing waits after steps 1 and 2: a hold,");
  expect(planOf(`${preview}, {hold: 5s}, {switch: {}}`)).not.toContain("Nothing waits");
});

test("a plan says what happens to subsets with what undoes it, and which cluster a step moves", () => {
  const app = { rules: [{ name: "public", arms: { "app/blue": 100 }, idle: ["app/green"] }] };
  const local = sketchTable([{ name: "shop/web", ...app }]);
  const contexts = ["east", "west"];
  const table = mergeTables(contexts.map((context) => qualifyTable(local, context)));
  const text = headOf(
    "{routes: [{virtualService: shop/web}], to: green, strategy: {blueGreen: {}}, sites: {contexts: [east, west]}, subsets: [{destinationRule: shop/app, add: [{name: green, labels: {version: green}}]}]}",
  );
  const { manifests } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "shop" });
  const release = manifests.find((manifest) => manifest.kind === "Release");
  if (release === undefined) throw new Error("There is no Release.");
  const sites = { contexts, findDestinationRule: () => ({ host: "app.shop.svc.cluster.local", subsets: [] }) };
  const planning = planRelease({ table, current: new Map(), release, actor: "test", sites });
  if (planning.kind === "refused") throw planning.error;
  const lines = renderReleasePlan(planning.plan, [], plainInk).split("\n");
  expect(lines.filter((line) => /^ {1,3}\d|shop\/web$/u.test(line))).toEqual([
    "  1  subsets  adds subset green (version=green) to DestinationRule east:shop/app; adds subset green (version=green) to DestinationRule west:shop/app; undone by removing them",
    "  2  switch on east",
    "     east:shop/web",
    "  3  switch on west",
    "     west:shop/web",
  ]);
});

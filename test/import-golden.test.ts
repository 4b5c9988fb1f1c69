import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { importObjects, type ImportedTool } from "../src/core/import/import-objects.ts";
import { renderLeftOut, renderNote } from "../src/core/import/render-import.ts";
import type { Manifest, ReleaseManifest, SourceText } from "../src/core/manifest/manifest.ts";
import { parseManifests } from "../src/core/manifest/parse-manifests.ts";
import { buildMeshModel } from "../src/core/mesh-model.ts";
import { planRelease } from "../src/core/release/plan/plan-release.ts";

const folder = fileURLToPath(new URL("../testdata/import/", import.meta.url));
const cases = readdirSync(folder)
  .filter((file) => file.endsWith(".in.yaml"))
  .map((file) => file.slice(0, -".in.yaml".length));

/** Their rules are for connections, which kirikae does not move; `plan` says so. */
const unplannable = new Set(["argo-tcp", "flagger-tcp"]);

function importCase(name: string) {
  const text = readFileSync(`${folder}${name}.in.yaml`, "utf8");
  const tool: ImportedTool = name.startsWith("argo-") ? "argo-rollout" : "flagger-canary";
  return { text, imported: importObjects(tool, [{ path: `${name}.yaml`, text }], { defaultNamespace: "default" }) };
}

test("there are a dozen shapes of each tool", () => {
  expect(cases.filter((name) => name.startsWith("argo-")).length).toBeGreaterThanOrEqual(12);
  expect(cases.filter((name) => name.startsWith("flagger-")).length).toBeGreaterThanOrEqual(12);
});

describe.each(cases)("%s", (name) => {
  const { text, imported } = importCase(name);

  test("is imported as its golden file says, with every note", async () => {
    expect(imported.problems).toEqual([]);
    expect(imported.incomplete).toEqual([]);
    expect(imported.releases.length).toBeGreaterThan(0);
    await expect(imported.text).toMatchFileSnapshot(`${folder}${name}.out.yaml`);
  });

  test("says each of its notes above the spec", () => {
    for (const { notes, leftOut } of imported.releases) {
      for (const line of [...notes.map(renderNote), ...leftOut.map(renderLeftOut)]) {
        expect(imported.text).toContain(`# ${line}\n`);
      }
    }
  });

  test("is accepted by check and planned beside its manifests", () => {
    const made = new Set(imported.releases.flatMap((one) => one.made.map(({ kind, metadata }) => key(kind, metadata))));
    const sources = [{ path: "imported.yaml", text: imported.text }, ...remaining(text, made)];
    const pods = { path: "pods.yaml", text: podsFor(sources) };
    const model = buildMeshModel([...sources, pods], { defaultNamespace: "default" });
    expect(model.diagnostics.filter(({ level }) => level === "error").map(({ message }) => message)).toEqual([]);
    const releases = model.mesh.manifests.filter((one: Manifest): one is ReleaseManifest => one.kind === "Release");
    expect(releases).toHaveLength(imported.releases.length);
    for (const release of releases) {
      const planning = planRelease({ table: model.table, current: new Map(), release, actor: "test" });
      const outcome = planning.kind === "refused" ? planning.error.message : planning.kind;
      if (unplannable.has(name)) expect(outcome).toMatch(/TCP|connections|bytes/u);
      else expect(outcome).toBe("plan");
    }
  });
});

/** A pod behind each Service and subset, and somebody with a sidecar who calls: what a cluster has beside these files. */
function podsFor(sources: readonly SourceText[]): string {
  const { manifests } = parseManifests(sources, { defaultNamespace: "default" });
  const selectors = manifests.flatMap((one) => (one.kind === "Service" ? [labelsOf(one.spec.selector)] : []));
  const subsets = manifests.flatMap((one) =>
    one.kind === "DestinationRule" ? one.spec.subsets.map(({ labels }) => labelsOf(labels)) : [],
  );
  const labels = selectors.flatMap((selector) => [selector, ...subsets.map((subset) => ({ ...selector, ...subset }))]);
  const namespaces = ["shop", "partners"].map(
    (name) => `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, labels: {istio-injection: enabled}}\n`,
  );
  const pods = [{ app: "caller" }, ...labels].map((own, index) => {
    const meta = `metadata: {name: pod-${index}, namespace: shop, labels: ${JSON.stringify(own)}}`;
    const local = `spec: {labels: ${JSON.stringify(own)}, addresses: ["127.0.0.1:${9000 + index}"]}`;
    return [
      `apiVersion: v1\nkind: Pod\n${meta}\nspec: {containers: [{name: app, image: app}]}\n`,
      `apiVersion: kirikae.dev/v1alpha1\nkind: LocalWorkload\nmetadata: {name: pod-${index}, namespace: shop}\n${local}\n`,
    ].join("---\n");
  });
  return [...namespaces, ...pods].join("---\n");
}

function labelsOf(labels: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  return { ...labels };
}

function key(kind: string, { namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${kind} ${namespace}/${name}`;
}

/** The documents of the case that stay beside what was made in the place of some of them. */
function remaining(text: string, made: ReadonlySet<string>): readonly SourceText[] {
  return text
    .split(/^---$/mu)
    .map((document, index) => ({ path: `given-${index}.yaml`, text: document }))
    .filter(({ text: document }) => {
      const [kind = ""] = /(?<=^kind: )\w+/mu.exec(document) ?? [];
      const [, name = "", namespace = ""] = /^metadata: \{ name: ([\w-]+), namespace: ([\w-]+)/mu.exec(document) ?? [];
      return !made.has(key(kind, { name, namespace }));
    });
}

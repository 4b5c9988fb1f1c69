import { expect } from "vitest";
import { parseManifests } from "../../src/core/manifest/parse-manifests.ts";
import { isRead, mutate, richObjects } from "../own-objects.fixture.ts";
import { crdDifferences } from "./crd-differences.ts";
import { installReleaseKind } from "./release-kind.ts";
import { namespace, refusalOf, release } from "./release-objects.ts";
import { describeCluster, test } from "./shared-cluster.ts";

function complaintOf(spec: unknown): string {
  const source = { path: "Release a", text: JSON.stringify(release(spec)), isObject: true } as const;
  const { diagnostics } = parseManifests([source], { defaultNamespace: "default" });
  return diagnostics.find(({ level }) => level === "error")?.message ?? "";
}

/** Each spec that one of the objects becomes by one change, asked four at a time. */
async function askAll(specs: readonly unknown[], ask: (spec: unknown) => Promise<void>): Promise<void> {
  const left = [...specs];
  const lane = async () => {
    for (let spec = left.pop(); spec !== undefined; spec = left.pop()) await ask(spec);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

describeCluster("the CustomResourceDefinition of Release and kirikae", () => {
  test.beforeAll(async ({ cluster, kubectl }) => {
    await cluster.restore();
    await kubectl.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
    await installReleaseKind(kubectl);
  });

  test("agree on every small change, but for what is listed", async ({ cluster }) => {
    const specs = richObjects().flatMap(({ kind, spec }) => (kind === "Release" ? [spec, ...mutate(spec)] : []));
    const tooStrict: string[] = [];
    const unlisted: string[] = [];
    const seen = new Set<unknown>();
    let agreed = 0;
    await askAll(specs, async (spec) => {
      const said = await refusalOf(cluster, spec);
      if (isRead(release(spec)) === (said === undefined)) agreed += 1;
      else if (said !== undefined) tooStrict.push(said);
      else {
        const complaint = complaintOf(spec);
        const difference = crdDifferences.find((each) => each.complaint.test(complaint));
        if (difference === undefined) unlisted.push(complaint);
        seen.add(difference);
      }
    });
    expect(tooStrict).toEqual([]);
    expect(unlisted).toEqual([]);
    expect(crdDifferences.filter((each) => !seen.has(each)).map(({ complaint }) => complaint.source)).toEqual([]);
    expect(agreed).toBeGreaterThan(2_000);
  });
});

import { expect, test } from "vitest";
import { sketchTable } from "../../test/route-table.fixture.ts";
import type { ReleaseManifest } from "../core/manifest/manifest.ts";
import { parseManifests } from "../core/manifest/parse-manifests.ts";
import { planRelease } from "../core/release/plan/plan-release.ts";
import { unstarted } from "../core/release/state/advance-release.ts";
import type { RouteTable } from "../core/routes/route-table.ts";
import { createReleaseMoves } from "./release-moves.ts";

/** The objects of a cluster, of which the live weights are the declared ones. */
function tableOf(green: number): RouteTable {
  return sketchTable([
    {
      name: "shop/web",
      rules: [
        { name: "preview", header: "x-version: green", arms: { "app/green": 100 }, idle: ["app/blue"] },
        { name: "public", arms: { "app/blue": 100 - green, "app/green": green } },
      ],
    },
  ]);
}

function release(): ReleaseManifest {
  const spec = "{routes: [{virtualService: web}], to: green, strategy: {canary: {weights: [10, 30, 60]}}}";
  const text = `{apiVersion: kirikae.dev/v1alpha1, kind: Release, metadata: {name: r, namespace: shop}, spec: ${spec}}`;
  const { manifests } = parseManifests([{ path: "r.yaml", text }], { defaultNamespace: "shop" });
  const found = manifests.find((manifest): manifest is ReleaseManifest => manifest.kind === "Release");
  if (found === undefined) throw new Error("There is no Release.");
  return found;
}

test.each([
  [0, 0],
  [1, 10],
  [2, 30],
  [3, 60],
])("step %i is planned from %i %% on a cluster as it was agreed, with the testers' rule", (step, green) => {
  const sites = { contexts: ["prod"], findDestinationRule: () => undefined };
  const planning = planRelease({ table: tableOf(0), current: new Map(), release: release(), actor: "ann", sites });
  if (planning.kind === "refused") throw planning.error;
  const moves = createReleaseMoves({
    live: () => ({ table: tableOf(green), current: new Map() }),
    readyEndpoints: () => ({}),
    declaresWhatIsLive: true,
  });
  const { plan } = planning;
  const agreed = plan.steps[step];
  const changes = agreed !== undefined && "moves" in agreed ? agreed.moves.flatMap((move) => move.changes) : [];
  const planned = moves.planStep({ plan, state: unstarted }, step);
  expect(planned.changes.map(({ split, before, after }) => ({ split, before, after }))).toEqual(
    changes.map(({ split, before, after }) => ({ split, before, after })),
  );
});

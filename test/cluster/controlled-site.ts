import { buildReleaseCrd } from "../../src/core/manifest/schema/build-crd.ts";
import type { ReleaseObjectStatus } from "../../src/controller/status/release-status.ts";
import { until } from "./controller-process.ts";
import type { KubeObject } from "./kube-client.ts";
import type { Kubectl } from "./kubectl.ts";
import { test as base } from "./shared-cluster.ts";
import { Site } from "./site.ts";
import { buildVirtualService } from "./site-objects.ts";
import { writtenWeights } from "./written-weights.ts";

export const namespace = "controlled";

/** `test` with a site that a controller works on. */
export const test = base.extend("site", { scope: "file" }, async ({ cluster, kubectl }, { onCleanup }) => {
  await kubectl.apply(buildReleaseCrd());
  await until(async () => (await kubectl.try(["get", "releases", "-A"])).exitCode === 0, {
    what: () => "the kind Release",
  });
  const site = await Site.start({ cluster, namespace, gateways: 2 });
  onCleanup(() => site[Symbol.asyncDispose]());
  return site;
});

type Strategy = Readonly<Record<string, unknown>>;

export function buildRelease(
  name: string,
  strategy: Strategy,
  more: Readonly<Record<string, unknown>> = {},
): KubeObject {
  return {
    apiVersion: "kirikae.dev/v1alpha1",
    kind: "Release",
    metadata: { name, namespace },
    spec: { routes: [{ virtualService: "app", route: "public" }], to: "green", strategy, ...more },
  };
}

export async function statusOf(kubectl: Kubectl, name: string): Promise<ReleaseObjectStatus> {
  const { status = {} } = await kubectl.getJson<{ status?: ReleaseObjectStatus }>(["release", name, "-n", namespace]);
  return status;
}

export async function whenPhase(kubectl: Kubectl, name: string, phase: string): Promise<ReleaseObjectStatus> {
  let last: ReleaseObjectStatus = {};
  await until(
    async () => {
      last = await statusOf(kubectl, name);
      return last.phase === phase;
    },
    { timeoutMs: 90_000, what: () => `${phase}; it is ${last.phase}: ${last.message}` },
  );
  return last;
}

export async function order(kubectl: Kubectl, name: string, words: string): Promise<void> {
  await kubectl.run(["annotate", "release", name, "-n", namespace, `kirikae.dev/order=${words}`]);
}

/** Nothing of the test before is left: no Release, and everything on blue. */
export async function clean(kubectl: Kubectl, site: Site): Promise<void> {
  const { items } = await kubectl.getJson<{ items: KubeObject[] }>(["releases", "-n", namespace]);
  for (const { metadata } of items) {
    await kubectl.try([
      "patch",
      "release",
      metadata.name,
      "-n",
      namespace,
      "--type=merge",
      "-p",
      '{"metadata":{"finalizers":null}}',
    ]);
    await kubectl.try(["delete", "release", metadata.name, "-n", namespace, "--wait=false"]);
  }
  await site.cluster.client.apply(buildVirtualService(site.shape));
  for (const gateway of site.gateways) await site.whenAnswered(gateway, (version) => version === "blue");
}

export async function weightsOf(kubectl: Kubectl): Promise<Readonly<Record<string, number>>> {
  const found = await kubectl.getJson<KubeObject>(["virtualservice", "app", "-n", namespace]);
  return writtenWeights(found, "public");
}

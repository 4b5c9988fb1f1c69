import { isDeepStrictEqual } from "node:util";
import type { KubeClient, KubeObject } from "./kube-client.ts";
import type { OtherToolOptions } from "./other-tool.ts";
import { appHostOf, appPort, type AppShape, publicHostOf } from "./site-objects.ts";

type CarryOut = OtherToolOptions["carryOut"];
type Fields = Readonly<Record<string, unknown>>;

const istio = "networking.istio.io/v1";
const hashLabel = "rollouts-pod-template-hash";
const stableHash = "6d4f8c7b9";

/** The kinds of Argo Rollouts and Flagger, as far as the API server has to know them. */
export const otherKinds: readonly KubeObject[] = [
  buildKind({ group: "argoproj.io", version: "v1alpha1", kind: "Rollout", plural: "rollouts" }),
  buildKind({ group: "flagger.app", version: "v1beta1", kind: "Canary", plural: "canaries" }),
];

interface OtherKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
}

function buildKind({ group, version, kind, plural }: OtherKind): KubeObject {
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  };
}

/** A Rollout at rest, whose subsets select by the hash of its pods' template. */
export function buildRollout({ namespace }: AppShape): KubeObject {
  const destinationRule = { name: "app", stableSubsetName: "stable", canarySubsetName: "canary" };
  const trafficRouting = { istio: { virtualService: { name: "app", routes: ["public"] }, destinationRule } };
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "app", namespace },
    spec: { replicas: 1, strategy: { canary: { trafficRouting, steps: [{ setWeight: 25 }, { pause: {} }] } } },
  };
}

/** What the team has written for it; hashes come at run time. The pods of green are a Deployment of their own. */
export function buildRolloutApp(shape: AppShape): readonly KubeObject[] {
  const { namespace } = shape;
  const metadata = { name: "app", namespace };
  const host = appHostOf(shape);
  return [
    buildEntry(shape, { name: "app", host, labelsOf: labelsOfPods, versions: shape.versions }),
    { apiVersion: istio, kind: "DestinationRule", metadata, spec: { host, subsets: subsetsOf({ app: "app" }) } },
    {
      apiVersion: istio,
      kind: "VirtualService",
      metadata,
      spec: { hosts: [publicHostOf(namespace)], gateways: ["app"], http: rolloutRules(shape) },
    },
  ];
}

/** Pods that a Rollout has made have its hash and no version; those of the new Deployment say theirs. */
function labelsOfPods(version: string): Readonly<Record<string, string>> {
  return version === "blue" ? { [hashLabel]: stableHash } : { version };
}

function rolloutRules(shape: AppShape): readonly object[] {
  const host = appHostOf(shape);
  const arm = (subset: string, weight: number) => ({
    destination: { host, subset, port: { number: appPort } },
    weight,
  });
  return [{ name: "public", route: [arm("stable", 100), arm("canary", 0)] }];
}

function subsetsOf(labels: Readonly<Record<string, string>>): readonly object[] {
  return ["stable", "canary"].map((name) => ({ name, labels }));
}

interface EntryParts {
  readonly name: string;
  readonly host: string;
  readonly versions: readonly string[];
  readonly labelsOf: (version: string) => Readonly<Record<string, string>>;
}

function buildEntry({ namespace, endpoints }: AppShape, { name, host, versions, labelsOf }: EntryParts): KubeObject {
  const own = endpoints.filter(({ version }) => versions.includes(version));
  return {
    apiVersion: istio,
    kind: "ServiceEntry",
    metadata: { name, namespace },
    spec: {
      hosts: [host],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: appPort, name: "http", protocol: "HTTP" }],
      endpoints: own.map(({ version, address, port }) => ({
        address,
        ports: { http: port },
        labels: { app: "app", ...labelsOf(version) },
      })),
    },
  };
}

/**
 * Argo Rollouts with a Rollout at rest: it puts the weights of its two subsets back, gives each the hash of its pods, and
 * drops subsets that are not its own. It leaves a Rollout alone that is being deleted. Source: argo-rollouts
 * `rollout/trafficrouting/istio/istio.go` (`UpdateHash`, `SetWeight`), `rollout/controller.go`.
 */
export function rollouts(shape: AppShape): CarryOut {
  const manager = "rollouts-controller";
  const [, rule, service] = buildRolloutApp(shape);
  const subsets = subsetsOf({ app: "app", [hashLabel]: stableHash });
  return async (client, rollout) => {
    if (rollout.metadata["deletionTimestamp"] !== undefined) return;
    const annotations = { "argo-rollouts.argoproj.io/managed-by-rollouts": rollout.metadata.name };
    await writeSpec(client, { object: rule, manager, annotations, change: (spec) => ({ ...spec, subsets }) });
    await writeSpec(client, { object: service, manager, change: (spec) => ({ ...spec, http: rolloutRules(shape) }) });
  };
}

interface SpecWrite {
  readonly object: KubeObject | undefined;
  readonly manager: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly change: (spec: Fields) => Fields;
}

async function writeSpec(client: KubeClient, { object, manager, annotations, change }: SpecWrite): Promise<void> {
  const found = object === undefined ? undefined : await client.find(object);
  if (found === undefined) return;
  const before = found["spec"] as Fields;
  const spec = change(before);
  if (isDeepStrictEqual(spec, before)) return;
  const metadata = { ...found.metadata, ...(annotations !== undefined && { annotations }) };
  await client.replace({ ...found, metadata, spec }, manager);
}

/** A Canary at rest: its primary has everything. */
export function buildCanary({ namespace }: AppShape): KubeObject {
  return {
    apiVersion: "flagger.app/v1beta1",
    kind: "Canary",
    metadata: { name: "app", namespace },
    spec: {
      targetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "app" },
      service: { port: appPort, gateways: ["app"], hosts: [publicHostOf(namespace)] },
      analysis: { interval: "1m", threshold: 2, stepWeight: 25, maxWeight: 50 },
    },
  };
}

/** The hosts of its two Services: blue is what Flagger calls the primary, green its target, scaled up. */
export function buildCanaryHosts(shape: AppShape): readonly KubeObject[] {
  return [
    { name: "app-primary", versions: ["blue"] },
    { name: "app-canary", versions: ["green"] },
  ].map(({ name, versions }) =>
    buildEntry(shape, { name, versions, labelsOf: () => ({}), host: `${name}.${shape.namespace}.svc.cluster.local` }),
  );
}

/** What Flagger makes: it has written all of it, and nobody else has any of it in git. */
export function buildCanaryApp({ namespace }: AppShape): readonly KubeObject[] {
  const made = (kind: string, name: string, spec: object): KubeObject => ({
    apiVersion: "networking.istio.io/v1beta1",
    kind,
    metadata: { name, namespace },
    spec,
  });
  return [
    made("DestinationRule", "app-canary", { host: "app-canary" }),
    made("DestinationRule", "app-primary", { host: "app-primary" }),
    made("VirtualService", "app", {
      hosts: [publicHostOf(namespace), "app"],
      gateways: ["app"],
      http: [
        {
          route: [
            { destination: { host: "app-primary" }, weight: 100 },
            { destination: { host: "app-canary" }, weight: 0 },
          ],
        },
      ],
    }),
  ];
}

/**
 * Flagger with a Canary at rest: it makes what is missing, owned by the Canary, and puts the whole VirtualService back, at
 * 100 to 0, where anything but a weight differs, annotations among it. It leaves a Canary alone that is suspended.
 * Source: flagger `pkg/router/istio.go` (`reconcileVirtualService`), `pkg/controller/scheduler.go` (`advanceCanary`).
 */
export function flagger(shape: AppShape): CarryOut {
  const manager = "flagger";
  return async (client, canary) => {
    if ((canary["spec"] as Fields)["suspend"] === true) return;
    const { apiVersion, kind, metadata } = canary;
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata["uid"], controller: true };
    for (const object of buildCanaryApp(shape)) {
      const found = await client.find(object);
      if (found === undefined) {
        await client.create({ ...object, metadata: { ...object.metadata, ownerReferences: [owner] } }, manager);
      } else if (object.kind === "VirtualService" && differs(found, object)) {
        const metadata = { ...found.metadata, annotations: {} };
        await client.replace({ ...found, metadata, spec: object["spec"] }, manager);
      }
    }
  };
}

function differs(found: KubeObject, wanted: KubeObject): boolean {
  const annotations = found.metadata["annotations"];
  return annotations !== undefined || !isDeepStrictEqual(withoutWeights(found["spec"]), withoutWeights(wanted["spec"]));
}

function withoutWeights(spec: unknown): unknown {
  return JSON.parse(JSON.stringify(spec, (key, value: unknown) => (key === "weight" ? undefined : value)));
}

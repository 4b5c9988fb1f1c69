import type { ClusterRelease } from "../../../api/types.ts";
import { localName, sitePrefix, siteOf } from "../../../core/routes/site-names.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { readStatus } from "../../../controller/status/write-status.ts";

interface ReleaseSpec {
  readonly to?: string;
  readonly routes?: readonly { readonly virtualService?: string; readonly namespace?: string }[];
}

const quietPhases: ReadonlySet<string> = new Set(["done", "rolledBack", "aborted", "refused"]);

/** Says what an object says. */
export function describeClusterRelease(object: KubeObject, context: string): ClusterRelease {
  const { namespace = "default", name } = object.metadata;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the CRD's schema has been checked by the API server.
  const spec = (object["spec"] ?? {}) as ReleaseSpec;
  const status = readStatus(object);
  const phase = status.phase ?? "Pending";
  return {
    runBy: "controller",
    context,
    release: `${namespace}/${name}`,
    id: status.release ?? null,
    from: status.from ?? null,
    to: status.to ?? spec.to ?? "",
    services: movedBy(object),
    phase: `${phase.slice(0, 1).toLowerCase()}${phase.slice(1)}`,
    step: status.step ?? null,
    stepName: status.stepName ?? null,
    weight: status.weight ?? null,
    message: status.message ?? "no controller has looked at it yet",
    startedAt: status.startedAt ?? null,
    endedAt: status.endedAt ?? null,
    waitsUntil: status.waitsUntil ?? null,
    steps: [],
  };
}

/**
 * What the objects say, as `newestFirst`. Of several clusters, their namespaces have the cluster in front, which the
 * context says here.
 */
export function describeClusterReleases(objects: readonly KubeObject[], context: string): readonly ClusterRelease[] {
  return newestFirst(objects).map((object) => {
    const { namespace = "" } = object.metadata;
    const local = { ...object, metadata: { ...object.metadata, namespace: localName(namespace) } };
    return describeClusterRelease(local, siteOf(namespace) ?? context);
  });
}

/** One that has not begun is newer than all that have. */
export function newestFirst(releases: readonly KubeObject[]): readonly KubeObject[] {
  return releases.toSorted((one, other) => startOf(other) - startOf(one));
}

function startOf(object: KubeObject): number {
  const { startedAt } = readStatus(object);
  return startedAt === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(startedAt);
}

/** Whether it moves nothing any more; one that waits for a controller may. */
export function isQuiet({ phase }: Pick<ClusterRelease, "phase">): boolean {
  return quietPhases.has(phase);
}

/** `namespace/name` of the VirtualServices that an object names, with its cluster in front where its own name has one. */
function movedBy(release: KubeObject): readonly string[] {
  const { namespace: own = "default" } = release.metadata;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the CRD's schema has been checked by the API server.
  const { routes = [] } = (release["spec"] ?? {}) as ReleaseSpec;
  const prefix = sitePrefix(own);
  return routes.map(({ virtualService = "", namespace }) => {
    if (virtualService.includes("/")) return `${prefix}${virtualService}`;
    return `${namespace === undefined ? own : `${prefix}${namespace}`}/${virtualService}`;
  });
}

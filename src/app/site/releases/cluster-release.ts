import { sitePrefix } from "../../../core/routes/site-names.ts";
import type { ReleaseDescription } from "../../../core/release/describe/describe-release.ts";
import type { KubeObject } from "../../../kubernetes/kube-object.ts";
import { readStatus } from "../../../controller/status/write-status.ts";

/** A Release of a cluster, which its controller carries out, as its object says it. Times are ISO 8601. */
export interface ClusterRelease {
  /** Tells it from a release that kirikae carries out elsewhere, which has no such field. */
  readonly runBy: "controller";
  readonly context: string;
  /** `namespace/name`. */
  readonly release: string;
  /** Null until it has begun. */
  readonly id: string | null;
  readonly from: string | null;
  readonly to: string;
  /** `namespace/name` of every VirtualService that it moves. */
  readonly services: readonly string[];
  /** As of any release; `pending` where no controller has looked at it, and `refused`. */
  readonly phase: string;
  /** `2/6`. */
  readonly step: string | null;
  readonly stepName: string | null;
  /** What has been proved to be live, `blue 90 %, green 10 %`. */
  readonly weight: string | null;
  readonly message: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly waitsUntil: string | null;
  /** Each of its steps; empty in lists, and where its journal cannot be read. */
  readonly steps: ReleaseDescription["steps"];
}

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

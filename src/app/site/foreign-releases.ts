import { KirikaeError } from "../../core/diagnostics/error.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { SiteObjects } from "./site-objects.ts";

/** The part of a Release in a cluster that says what it moves, and whether it still does. */
interface RunningRelease {
  readonly spec?: { readonly routes?: readonly { readonly virtualService?: string; readonly namespace?: string }[] };
  readonly status?: { readonly phase?: string };
}

/** In these a release moves nothing any more, or not yet. */
const quietPhases: ReadonlySet<string> = new Set(
  ["Done", "RolledBack", "Aborted", "Refused"].map((each) => each.toLowerCase()),
);

/**
 * A rule that a Release of the cluster moves is not moved by hand as well: the controller would not find what it has
 * left. Throws KIR4060.
 */
export function refuseForeignRelease(site: Pick<SiteObjects, "objects">, moved: readonly string[]): void {
  const services = new Set(moved);
  const release = site.objects(kubeKinds.release).find((each) => isUnderWay(each) && movesOne(each, services));
  if (release === undefined) return;
  const { namespace = "default", name } = release.metadata;
  throw new KirikaeError(
    "KIR4060",
    `${moved.join(", ")} ${moved.length === 1 ? "belongs" : "belong"} to the Release ${namespace}/${name} of the cluster, which is under way.`,
    {
      exitStatus: 1,
      hint: `Let it move the weights, or end it: \`kubectl annotate release ${name} -n ${namespace} kirikae.dev/order=abort\`.`,
    },
  );
}

function isUnderWay(release: KubeObject): boolean {
  const phase = read(release)
    .status?.phase?.replaceAll(/[^A-Za-z]/gu, "")
    .toLowerCase();
  return phase !== undefined && !quietPhases.has(phase);
}

function movesOne(release: KubeObject, services: ReadonlySet<string>): boolean {
  const own = release.metadata.namespace ?? "default";
  return (read(release).spec?.routes ?? []).some(({ virtualService = "", namespace = own }) =>
    services.has(virtualService.includes("/") ? virtualService : `${namespace}/${virtualService}`),
  );
}

function read(release: KubeObject): RunningRelease {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the CRD's schema has been checked by the API server.
  return release as unknown as RunningRelease;
}

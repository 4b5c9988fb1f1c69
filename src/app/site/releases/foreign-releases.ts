import { KirikaeError } from "../../../core/diagnostics/error.ts";
import { localName, siteOf } from "../../../core/routes/site-names.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import { describeClusterRelease, isQuiet } from "./cluster-release.ts";
import type { SiteObjects } from "../objects/site-objects.ts";

/**
 * A rule that a Release of the cluster moves is not moved by hand as well: the controller would not find what it has
 * left. Of several clusters, names have theirs in front. Throws KIR4060.
 */
export function refuseForeignRelease(site: Pick<SiteObjects, "objects">, moved: readonly string[]): void {
  const names = new Set(moved);
  const release = site
    .objects(kubeKinds.release)
    .filter((object) => object["status"] !== undefined)
    .map((object) => describeClusterRelease(object, siteOf(object.metadata.namespace ?? "") ?? ""))
    .find((each) => each.phase !== "pending" && !isQuiet(each) && each.services.some((service) => names.has(service)));
  if (release === undefined) return;
  const [namespace = "", name = ""] = localName(release.release).split("/");
  const context = release.context === "" ? "" : ` --context ${release.context}`;
  throw new KirikaeError(
    "KIR4060",
    `${moved.join(", ")} ${moved.length === 1 ? "belongs" : "belong"} to the Release ${release.release} of the cluster, which is under way.`,
    {
      exitStatus: 1,
      hint: `Let it move the weights, or end it: \`kubectl${context} annotate release ${name} -n ${namespace} kirikae.dev/order=abort\`.`,
    },
  );
}

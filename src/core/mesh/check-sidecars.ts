import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { resourceName, type SidecarManifest } from "../manifest/manifest.ts";
import { selectorKey } from "./gateway-pods.ts";
import type { Mesh } from "./mesh.ts";
import type { PodIndex, PodSubject } from "./pods.ts";

/**
 * Sidecars that select the same pods (IST0110), several for all pods of a namespace (IST0111), and those that select
 * nothing (IST0101). Source: Istio `pkg/config/analysis/analyzers/sidecar/selector.go`.
 */
export function checkSidecars(mesh: Pick<Mesh, "manifests">, pods: PodIndex): readonly Diagnostic[] {
  const sidecars = mesh.manifests.filter((manifest) => manifest.kind === "Sidecar");
  const selecting = sidecars.filter(hasSelector);
  return [
    ...checkDefaults(
      mesh,
      sidecars.filter((sidecar) => !hasSelector(sidecar)),
    ),
    ...checkSelectors(selecting, pods),
  ];
}

function hasSelector({ spec }: SidecarManifest): boolean {
  return Object.keys(spec.workloadSelector ?? {}).length > 0;
}

function checkDefaults(mesh: Pick<Mesh, "manifests">, sidecars: readonly SidecarManifest[]): readonly Diagnostic[] {
  const groups = Map.groupBy(sidecars, ({ metadata }) => metadata.namespace);
  return [...groups]
    .filter(([namespace, { length }]) => length > 1 && !isAmbient(mesh, namespace))
    .flatMap(([namespace, group]) =>
      group.map((sidecar, index) =>
        diagnostic("KIR1207", {
          message: `${group.length} Sidecars without workloadSelector are in namespace ${namespace}: ${listNames(group.map(({ metadata }) => metadata.name))}. ${index === 0 ? "This one counts, because it is the oldest." : "This one has no effect, because it is not the oldest."}`,
          hint: "Keep one, or give the others a workloadSelector.",
          resource: resourceName(sidecar),
          at: sidecar.at,
        }),
      ),
    );
}

/** Pods of an ambient namespace have no sidecar, so that nothing is ambiguous about it. */
function isAmbient(mesh: Pick<Mesh, "manifests">, namespace: string): boolean {
  return mesh.manifests.some(({ kind, metadata }) => {
    const { labels } = metadata;
    return (
      kind === "Namespace" &&
      metadata.name === namespace &&
      labels["istio.io/dataplane-mode"] === "ambient" &&
      labels["istio-injection"] !== "enabled" &&
      (labels["istio.io/rev"] ?? "") === ""
    );
  });
}

function checkSelectors(sidecars: readonly SidecarManifest[], pods: PodIndex): readonly Diagnostic[] {
  const selectedBy = new Map<PodSubject, SidecarManifest[]>();
  const findings: Diagnostic[] = [];
  for (const sidecar of sidecars) {
    const selected = pods.findIn(sidecar.metadata.namespace, sidecar.spec.workloadSelector ?? {});
    if (selected.length === 0) {
      findings.push(reportNobody(sidecar));
    }
    for (const pod of selected.filter(({ annotations }) => annotations[redirection] !== "enabled")) {
      const known = selectedBy.get(pod);
      if (known === undefined) {
        selectedBy.set(pod, [sidecar]);
      } else {
        known.push(sidecar);
      }
    }
  }
  const reported = new Map<SidecarManifest, Diagnostic>();
  for (const [pod, group] of selectedBy) {
    for (const sidecar of group.length > 1 ? group : []) {
      reported.set(sidecar, reported.get(sidecar) ?? reportRivals(sidecar, pod, group));
    }
  }
  return [...findings, ...reported.values()];
}

/** Set on pods of the ambient mesh, which have no sidecar. */
const redirection = "ambient.istio.io/redirection";

function reportNobody(sidecar: SidecarManifest): Diagnostic {
  const { namespace } = sidecar.metadata;
  const labels = selectorKey(sidecar.spec.workloadSelector ?? {}).replaceAll(",", ", ");
  return diagnostic("KIR1208", {
    message: `No pod of namespace ${namespace} has the labels ${labels}, so the Sidecar has no effect.`,
    hint: "A Sidecar counts for pods of its own namespace only; correct the labels or the namespace.",
    resource: resourceName(sidecar),
    at: sidecar.at,
  });
}

function reportRivals(sidecar: SidecarManifest, pod: PodSubject, group: readonly SidecarManifest[]): Diagnostic {
  const others = group.filter((other) => other !== sidecar).map((other) => resourceName(other));
  return diagnostic("KIR1206", {
    message: `${listNames(others, 5)} selects ${pod.resource} too, and only one Sidecar counts for it.`,
    hint: "Let the selectors name different pods.",
    resource: resourceName(sidecar),
    at: sidecar.at,
  });
}

import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { resourceName } from "../manifest/manifest.ts";
import type { RouteDestination } from "../manifest/virtual-service.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Rules with one destination whose weight is not 100, above all 0: Istio ignores it, and every request goes there.
 * Source: Istio `pilot/pkg/networking/core/route/route.go`, where a single destination becomes a plain cluster route.
 */
export function checkSingleWeights(mesh: Pick<Mesh, "virtualServices">): readonly Diagnostic[] {
  return mesh.virtualServices.flatMap((service) => {
    const { http, tls, tcp } = service.spec;
    const routed = http.flatMap(({ action }) => (action.kind === "route" ? [action.destinations] : []));
    const lists: readonly (readonly RouteDestination[])[] = [
      ...routed,
      ...[...tls, ...tcp].map((rule) => rule.destinations),
    ];
    return lists.flatMap((destinations) => {
      const [only] = destinations;
      if (destinations.length !== 1 || only?.weight === undefined || only.weight === 100) {
        return [];
      }
      return [
        diagnostic("KIR1228", {
          message: `The weight ${only.weight} is ignored: "${only.destination.host}" is the only destination and gets every request.`,
          hint:
            only.weight === 0
              ? "Take the rule away to send nothing there."
              : "Name the destination that takes the rest, or leave the weight out.",
          resource: resourceName(service),
          at: only.destination.at,
        }),
      ];
    });
  });
}

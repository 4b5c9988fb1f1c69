import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Mesh } from "./mesh.ts";

/** What Envoy can add up; beyond it, it refuses all endpoints of the destination. */
const maximumTotal = 4_294_967_295;

/** Services whose endpoints have weights that no proxy can add up. */
export function checkEndpointWeights(mesh: Mesh): readonly Diagnostic[] {
  return [...mesh.services.values()].flatMap(({ host, endpoints, origin }) => {
    const total = endpoints.reduce((sum, { weight = 1 }) => sum + Math.max(1, weight), 0);
    if (total <= maximumTotal) {
      return [];
    }
    return [
      diagnostic("KIR1005", {
        message: `The endpoints of ${host} have weights that add up to ${total}, and proxies take at most ${maximumTotal}.`,
        hint: "Make the weights smaller; only their proportions count.",
        resource: `${origin.kind} ${origin.name}`,
        at: origin.at,
      }),
    ];
  });
}

import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { resourceName } from "../manifest/manifest.ts";
import type { Mesh } from "./mesh.ts";

/** Path prefixes that take more than the path and what is below it, because Istio's prefix is a plain string. */
export function checkPathBoundaries(mesh: Pick<Mesh, "virtualServices">): readonly Diagnostic[] {
  return mesh.virtualServices.flatMap((service) =>
    service.spec.http.flatMap((rule) =>
      rule.match.flatMap(({ uri, at }) =>
        uri?.kind === "prefix" && uri.value !== "" && !uri.value.endsWith("/")
          ? [
              diagnostic("KIR1036", {
                message: `The prefix "${uri.value}" also takes paths such as "${uri.value}-other".`,
                hint: `To take only the path and what is below it, match exact "${uri.value}" and prefix "${uri.value}/".`,
                resource: resourceName(service),
                at,
              }),
            ]
          : [],
      ),
    ),
  );
}

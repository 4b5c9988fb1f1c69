import { KirikaeError } from "../../../core/diagnostics/error.ts";
import type { MoveRequest } from "../../../core/release/move/move.ts";
import { resolveService } from "../../../core/release/move/resolve-service.ts";
import { buildRoutedServices } from "../../../core/release/move/movable-rules.ts";
import { siteAnnotations } from "../../../core/site/site-object.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import type { MovedRoutes } from "../mesh/moved-site.ts";

/**
 * A rollback that this journal knows no move for: the object may say that somebody moved it from another machine, whose
 * journal knows what to go back to. Any other error stays as it is.
 */
export function tellOfOthers(
  error: KirikaeError,
  { mesh, request }: { readonly mesh: MovedRoutes; readonly request: MoveRequest },
): KirikaeError {
  if (error.code !== "KIR2011") return error;
  const resolved = resolveService(buildRoutedServices(mesh.table), request, mesh.table.unserved);
  if (resolved.kind === "refused") return error;
  const { virtualService } = resolved.service;
  const [namespace = "", name = ""] = virtualService.split("/");
  const annotations = mesh.object(kubeKinds.virtualService, { namespace, name })?.metadata.annotations ?? {};
  const by = annotations[siteAnnotations.movedBy];
  if (by === undefined) return error;
  const at = annotations[siteAnnotations.movedAt];
  const since = at === undefined ? "" : ` at ${at}`;
  return new KirikaeError(
    error.code,
    `${error.message} ${by} moved it${since}, and this journal does not know from where.`,
    {
      exitStatus: error.exitStatus,
      hint: "Roll back where it was moved, or say where traffic should go with switch or shift.",
      details: { ...error.details, movedBy: by, movedAt: at ?? null },
      cause: error,
    },
  );
}

import type { HttpMirror, MirrorFields } from "./virtual-service.ts";

/**
 * Where requests are copied to. A manifest has either `mirror` or `mirrors`; with a delegate, one can come from the root
 * and the other from the delegate, and then both count. Source: Istio `pilot/pkg/networking/core/route/route.go`.
 */
export function combineMirrors({ mirror, percent = 100, mirrors }: MirrorFields): readonly HttpMirror[] {
  return mirror === undefined ? mirrors : [{ destination: mirror, percent }, ...mirrors];
}

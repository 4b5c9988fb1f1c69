import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { ControlPlaneReading } from "./control-plane.ts";

/** A proxy that has not taken the routes that it was sent last. */
export interface RouteRefusal {
  /** `pod.namespace`. */
  readonly proxy: string;
  /** In its own words. */
  readonly reason: string;
}

/** Those of these proxies that refuse their routes now, by what istiod has heard from them last. */
export function findRefusals({ proxies }: ControlPlaneReading, among: readonly string[]): readonly RouteRefusal[] {
  return among.flatMap((id) => {
    const reason = proxies.get(id)?.sync.types.route?.lastError;
    return reason === undefined ? [] : [{ proxy: id, reason }];
  });
}

/** What such a proxy is sent from now on it would refuse as well, and go on with what it had. */
export function refusesRoutes(refusals: readonly RouteRefusal[]): KirikaeError {
  const all = refusals.map(({ proxy, reason }) => `${proxy} refuses its routes already: ${reason}`);
  return new KirikaeError("KIR4043", `${all.join("; ")}.`, {
    exitStatus: 1,
    hint: "Take out what it names, such as an EnvoyFilter; `kirikae status` shows when it has taken its routes.",
    details: { refusals },
  });
}

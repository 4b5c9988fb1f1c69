import { list, nonEmpty, refine, transform } from "../decode/collections.ts";
import { type Decoder, reportConflict } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { integer, oneOf, string } from "../decode/scalars.ts";
import type { ObjectMeta } from "../manifest.ts";
import { defaultAffinity, type ReleaseRoute, type ReleaseSpec, type WayBackRules } from "../release.ts";
import { freeze, maxDuration } from "./release-freeze.ts";
import { notification } from "./release-notification.ts";
import { sessionAffinity } from "./release-additions.ts";
import { probes } from "./release-probes.ts";
import { objectName, proof, sites, subsets, takeOver, whenDeleted } from "./release-site.ts";
import { strategy } from "./release-steps.ts";

const failedCount = refine(integer, (count) => (count >= 0 ? undefined : `must not be negative, but is ${count}`));

const wayBack: Decoder<WayBackRules> = object({ fields: { capacity: required(oneOf(["respect", "ignore"])) } });

/** `name` in the namespace of the Release, or `namespace/name`. */
function virtualService(namespace: string): Decoder<Pick<ReleaseRoute, "namespace" | "virtualService">> {
  return transform(objectName(namespace), (named) => ({ namespace: named.namespace, virtualService: named.name }));
}

/** The spec of a `kirikae.dev/v1alpha1` Release. */
export function decodeRelease({ namespace }: ObjectMeta): Decoder<ReleaseSpec> {
  const route = transform(
    object({ fields: { virtualService: required(virtualService(namespace)), route: optional(string) } }),
    (fields) => ({ ...fields.virtualService, route: fields.route }),
  );
  const routes = transform(nonEmpty(list(route)), (given, place, context) => {
    const keys = given.map((one) => `${one.namespace}/${one.virtualService} ${one.route ?? ""}`);
    const double = keys.find((key, index) => keys.indexOf(key) !== index);
    return double === undefined ? given : reportConflict(place, context, `names ${double.trim()} twice`);
  });
  return transform(
    object({
      fields: {
        routes: required(routes),
        from: optional(string),
        to: required(string),
        strategy: required(strategy),
        sessionAffinity: optional(sessionAffinity),
        maxFailed: optional(failedCount),
        probes: optional(probes),
        freezes: withDefault(list(freeze), []),
        maxDuration: optional(maxDuration),
        wayBack: optional(wayBack),
        notifications: withDefault(list(notification), []),
        takeOver: optional(takeOver),
        proof: optional(proof),
        whenDeleted: optional(whenDeleted),
        subsets: optional(subsets(namespace)),
        sites: optional(sites),
      },
    }),
    (spec, place, context) =>
      spec.from === spec.to
        ? reportConflict(place, context, `goes from ${spec.to} to ${spec.to}`)
        : { ...spec, sessionAffinity: spec.sessionAffinity ?? affinityOf(spec.strategy) },
  );
}

/** A ladder on which visitors fall back to the version before is none. */
function affinityOf({ kind }: ReleaseSpec["strategy"]): ReleaseSpec["sessionAffinity"] {
  return kind === "cohorts" ? defaultAffinity : undefined;
}

import { list, mapOf, refine, strings, transform } from "../decode/collections.ts";
import { type DecodeContext, type Decoder, type Place, reportConflict, reportValue } from "../decode/decoder.ts";
import { fieldPlace, object, optional, withDefault } from "../decode/object.ts";
import { boolean, integer, string } from "../decode/scalars.ts";
import type { LocalityLoadBalancing } from "../destination-rule.ts";
import { itemPlace } from "./hosts.ts";

const decodeDistribute = object({
  fields: { from: withDefault(string, ""), to: withDefault(mapOf(integer), {}) },
});

const decodeFailover = object({ fields: { from: withDefault(string, ""), to: withDefault(string, "") } });

const topologyLabels: ReadonlySet<string> = new Set([
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
]);

const localityFields = object({
  fields: {
    enabled: optional(boolean),
    distribute: withDefault(list(decodeDistribute), []),
    failover: withDefault(list(decodeFailover), []),
    failoverPriority: withDefault(strings, []),
  },
});

/** `localityLbSetting`. Source of the rules: Istio `pkg/config/validation/agent/validation.go`, ValidateLocalityLbSetting. */
export const decodeLocality: Decoder<LocalityLoadBalancing> = transform(localityFields, (setting, place, context) => {
  const { distribute, failover, failoverPriority } = setting;
  if (distribute.length > 0 && failover.length > 0) {
    reportConflict(place, context, "must not have both distribute and failover");
    return setting;
  }
  const label = failoverPriority.find((name) => topologyLabels.has(name));
  if (failover.length > 0 && label !== undefined) {
    reportConflict(place, context, `must not have both failover and ${label} in failoverPriority`);
    return setting;
  }
  checkDistribute(distribute, fieldPlace(place, "distribute") ?? place, context);
  checkFailover(failover, fieldPlace(place, "failover") ?? place, context);
  return setting;
});

function checkDistribute(distribute: LocalityLoadBalancing["distribute"], place: Place, context: DecodeContext): void {
  for (const [index, { to }] of distribute.entries()) {
    const at = itemPlace(place, index);
    const shares = Object.values(to);
    const total = shares.reduce((sum, share) => sum + share, 0);
    if (shares.some((share) => share < 1 || share > 100)) {
      reportValue(at, context, "must have shares from 1 to 100");
    } else if (total !== 100) {
      reportValue(at, context, `must have shares that add up to 100, but they add up to ${total}`);
    }
    const complaint = complainLocalities(Object.keys(to));
    if (complaint !== undefined) {
      reportValue(at, context, complaint);
    }
  }
  const complaint = complainLocalities(distribute.map(({ from }) => from));
  if (complaint !== undefined) {
    reportValue(place, context, complaint);
  }
}

/** Each is `region/zone/subzone` or less of it, with `*` for the last part, and none is within another before it. */
function complainLocalities(localities: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const locality of localities) {
    const wildcard = locality.indexOf("*");
    if (wildcard !== -1 && wildcard !== locality.length - 1) {
      return `must have the wildcard * only at the end of a locality, but has ${JSON.stringify(locality)}`;
    }
    if (locality.split("/").slice(0, 3).includes("")) {
      return `must name a region, a zone and a subzone or the first of them, but has ${JSON.stringify(locality)}`;
    }
    if (!claimLocality(locality, seen)) {
      return `must have localities that do not overlap, but ${JSON.stringify(locality)} overlaps with one before it`;
    }
  }
  return undefined;
}

/** False when the same place, or one that holds it, was named before; `*` stands for all that is left. */
function claimLocality(locality: string, seen: Set<string>): boolean {
  const slash = locality.indexOf("/");
  const second = slash === -1 ? -1 : locality.indexOf("/", slash + 1);
  const region = slash === -1 ? locality : locality.slice(0, slash);
  const zone = second === -1 ? locality : locality.slice(0, second);
  const wholes = ["*", `${region}/*`, ...(second === -1 ? [] : [`${zone}/*`]), locality];
  if (wholes.some((place) => seen.has(place))) {
    return false;
  }
  for (const place of [region, zone, locality, ...(second === -1 ? [`${locality}/*`] : [])]) {
    seen.add(place);
  }
  return true;
}

function checkFailover(failover: LocalityLoadBalancing["failover"], place: Place, context: DecodeContext): void {
  for (const [index, { from, to }] of failover.entries()) {
    const at = itemPlace(place, index);
    if (from === to) {
      reportValue(at, context, "must name two different regions");
    }
    if (`${from}${to}`.includes("/")) {
      reportValue(at, context, "must name regions only, without zones");
    }
    if (`${from}${to}`.includes("*")) {
      reportValue(at, context, "must hold no wildcard");
    }
  }
}

/** `zoneAwareLbSetting`, which is checked and then left alone. */
export const decodeZoneAware: Decoder<undefined> = transform(
  object({
    fields: {
      enabled: optional(boolean),
      failover: withDefault(list(decodeFailover), []),
      failoverPriority: withDefault(strings, []),
      minClusterSize: optional(
        refine(integer, (value) => (value >= 1 ? undefined : `must be 1 or more, but is ${value}`)),
      ),
    },
  }),
  ({ failover, failoverPriority }, place, context) => {
    const label = failoverPriority.find((name) => topologyLabels.has(name));
    if (label !== undefined) {
      reportConflict(place, context, `must not have ${label} in failoverPriority, because zones count anyway`);
    }
    checkFailover(failover, fieldPlace(place, "failover") ?? place, context);
    return undefined;
  },
);

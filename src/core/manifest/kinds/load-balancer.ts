import { list, refine, transform } from "../decode/collections.ts";
import { type Decoder, invalid, reportConflict, reportDiscouraged, reportValue } from "../decode/decoder.ts";
import { fieldPlace, ignored, object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, durationMs, durationOrZeroMs, integer, number, oneOf, string } from "../decode/scalars.ts";
import { decodeLocality, decodeZoneAware } from "./locality-load-balancing.ts";
import { complainLine } from "./string-match.ts";
import type { ConsistentHash, LoadBalancer, Warmup } from "../destination-rule.ts";

type Simple = Extract<LoadBalancer, { kind: "simple" }>["simple"];

const simpleNames = oneOf(["UNSPECIFIED", "ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN", "RANDOM", "PASSTHROUGH"], {
  PASSTHROUGH: {
    support: "rejected",
    reason: "no connection on this machine is redirected, so none carries an address that it was meant for",
  },
});

/** LEAST_CONN is the old name of LEAST_REQUEST, which is also what Istio uses where nothing is said. */
const decodeSimple: Decoder<Simple> = transform(simpleNames, (name, place, context) => {
  switch (name) {
    case "PASSTHROUGH":
      return invalid;
    case "LEAST_CONN":
      reportDiscouraged(place, context, "is LEAST_CONN, the deprecated name of LEAST_REQUEST");
      return "LEAST_REQUEST";
    case "UNSPECIFIED":
      return "LEAST_REQUEST";
    case "ROUND_ROBIN":
    case "LEAST_REQUEST":
    case "RANDOM":
      return name;
  }
});

const notEmpty = refine(string, (text) => (text === "" ? "must not be empty" : undefined));

/** Envoy takes no more in a part of a cookie; one that is longer would make it refuse every route. */
const maximumAttributeBytes = 16_384;

function complainAttribute(text: string): string | undefined {
  if (new TextEncoder().encode(text).length > maximumAttributeBytes) {
    return `must be at most ${maximumAttributeBytes} bytes long`;
  }
  return complainLine(text);
}

const attributeText = refine(string, complainAttribute);
const attributeName = refine(notEmpty, complainAttribute);

const decodeAttribute: Decoder<readonly [name: string, value: string]> = transform(
  object({ fields: { name: required(attributeName), value: withDefault(attributeText, "") } }),
  ({ name, value }) => [name, value] as const,
);

const cookieAttributes: Decoder<readonly (readonly [name: string, value: string])[]> = transform(
  list(decodeAttribute),
  (attributes, place, context) => {
    const names = new Set(attributes.map(([name]) => name));
    return names.size < attributes.length
      ? reportValue(place, context, "must not name an attribute twice")
      : attributes;
  },
);

const decodeCookie = object({
  fields: {
    name: required(notEmpty),
    path: optional(string),
    ttl: optional(durationOrZeroMs),
    attributes: withDefault(cookieAttributes, []),
  },
});

/** Envoy's own bound; a ring is kept in memory for every destination. */
const maximumRingSize = 8_388_608;

const ringSize = refine(integer, (value) =>
  value < 0 || value > maximumRingSize ? `must be from 0 to ${maximumRingSize}, but is ${value}` : undefined,
);

/** Maglev needs a prime; 5000011 is Envoy's own bound. */
const tableSize = refine(integer, (value) =>
  value < 5_000_011 && isPrime(value) ? undefined : `must be a prime number below 5000011, but is ${value}`,
);

/** As Envoy sees it, for which 1 is one too. */
function isPrime(value: number): boolean {
  if (value < 1) {
    return false;
  }
  for (let divisor = 2; divisor * divisor <= value; divisor += 1) {
    if (value % divisor === 0) {
      return false;
    }
  }
  return true;
}

const hashFields = object({
  fields: {
    httpHeaderName: optional(refine(notEmpty, complainLine)),
    httpCookie: optional(decodeCookie),
    useSourceIp: optional(boolean),
    httpQueryParameterName: optional(notEmpty),
    minimumRingSize: optional(ringSize),
    ringHash: optional(object({ fields: { minimumRingSize: optional(ringSize) } })),
    maglev: optional(object({ fields: { tableSize: required(tableSize) } })),
  },
});

type HashFields = Exclude<ReturnType<typeof hashFields>, symbol>;

/** Undefined where no key is named: requests then go to any endpoint. */
const decodeHash: Decoder<ConsistentHash | undefined> = transform(hashFields, (fields, place, context) => {
  const { httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName } = fields;
  const written = [httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName].filter((key) => key !== undefined);
  if (written.length > 1) {
    return reportConflict(
      place,
      context,
      "must have one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName, but has several",
    );
  }
  const { ringHash, maglev } = fields;
  const minimumRingSize = fields.minimumRingSize === 0 ? undefined : fields.minimumRingSize;
  if ([minimumRingSize, ringHash, maglev].filter((value) => value !== undefined).length > 1) {
    return reportConflict(place, context, "must have only one of minimumRingSize, ringHash and maglev");
  }
  if (minimumRingSize !== undefined) {
    const at = fieldPlace(place, "minimumRingSize") ?? place;
    reportDiscouraged(at, context, {
      complaint: "is deprecated",
      hint: "Write ringHash: {minimumRingSize: N} instead.",
    });
  }
  const [key] = hashKeys(fields);
  if (key === undefined) {
    reportDiscouraged(place, context, "names nothing to make a hash of, so requests go to any endpoint");
    return undefined;
  }
  const algorithm =
    maglev === undefined
      ? ({ kind: "ringHash", minimumRingSize: ringHash?.minimumRingSize ?? minimumRingSize } as const)
      : ({ kind: "maglev", tableSize: maglev.tableSize } as const);
  return { key, algorithm };
});

function hashKeys(fields: HashFields): readonly ConsistentHash["key"][] {
  const keys: ConsistentHash["key"][] = [];
  if (fields.httpHeaderName !== undefined) {
    keys.push({ kind: "header", name: fields.httpHeaderName });
  }
  if (fields.httpCookie !== undefined) {
    const { name, path, ttl, attributes } = fields.httpCookie;
    keys.push({ kind: "cookie", name, path, ttlMs: ttl, attributes });
  }
  if (fields.useSourceIp === true) {
    keys.push({ kind: "sourceIp" });
  }
  if (fields.httpQueryParameterName !== undefined) {
    keys.push({ kind: "query", name: fields.httpQueryParameterName });
  }
  return keys;
}

const minimumPercent = refine(number, (value) =>
  value < 0 || value > 100 ? `must be a percentage from 0 to 100, but is ${value}` : undefined,
);

const aggression = refine(number, (value) => (value <= 0 ? `must be above 0, but is ${value}` : undefined));

const decodeWarmup: Decoder<Warmup> = transform(
  object({
    fields: {
      duration: required(durationMs),
      minimumPercent: optional(minimumPercent),
      aggression: optional(aggression),
    },
  }),
  ({ duration, ...others }) => ({ durationMs: duration, ...others }),
);

/** `loadBalancer`. Source of the rules: Istio `pkg/config/validation/validation.go`, validateLoadBalancer. */
export const decodeLoadBalancer: Decoder<LoadBalancer | undefined> = transform(
  object({
    fields: {
      simple: optional(decodeSimple),
      consistentHash: optional(decodeHash),
      localityLbSetting: optional(decodeLocality),
      warmup: optional(decodeWarmup),
      warmupDurationSecs: optional(durationMs),
      zoneAwareLbSetting: ignored(
        optional(decodeZoneAware),
        "a proxy needs others of its kind to weigh zones, and there is one of each here",
      ),
    },
  }),
  ({ simple, consistentHash, localityLbSetting, warmup, warmupDurationSecs }, place, context) => {
    const hasHash = fieldPlace(place, "consistentHash") !== undefined;
    if (localityLbSetting !== undefined && fieldPlace(place, "zoneAwareLbSetting") !== undefined) {
      return reportConflict(place, context, "must not have both localityLbSetting and zoneAwareLbSetting");
    }
    if (simple !== undefined && hasHash) {
      return reportConflict(place, context, "must not have both simple and consistentHash");
    }
    const extras = { locality: localityLbSetting, warmup: warmup ?? oldWarmup(warmupDurationSecs) };
    if (consistentHash !== undefined) {
      return { kind: "consistentHash", hash: consistentHash, ...extras };
    }
    const isEmpty = simple === undefined && extras.locality === undefined && extras.warmup === undefined;
    if (isEmpty && !hasHash) {
      return undefined;
    }
    return { kind: "simple", simple: simple ?? (hasHash ? "RANDOM" : "LEAST_REQUEST"), ...extras };
  },
);

function oldWarmup(warmupMs: number | undefined): Warmup | undefined {
  return warmupMs === undefined
    ? undefined
    : { durationMs: warmupMs, minimumPercent: undefined, aggression: undefined };
}

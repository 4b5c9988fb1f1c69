import { list, refine, transform } from "../decode/collections.ts";
import { type Decoder, invalid, renderPath, report, reportValue } from "../decode/decoder.ts";
import { object, optional, required, withDefault } from "../decode/object.ts";
import { boolean, durationMs, durationOrZeroMs, integer, number, oneOf, string } from "../decode/scalars.ts";
import { decodeLocality } from "./locality-load-balancing.ts";
import { complainLine } from "./string-match.ts";
import type { ConsistentHash, LoadBalancer, Warmup } from "../destination-rule.ts";

const simpleNames = ["UNSPECIFIED", "ROUND_ROBIN", "LEAST_REQUEST", "LEAST_CONN", "RANDOM", "PASSTHROUGH"] as const;

type Simple = Extract<LoadBalancer, { kind: "simple" }>["simple"];

/** LEAST_CONN is the old name of LEAST_REQUEST, which is also what Istio uses where nothing is said. */
const decodeSimple: Decoder<Simple> = transform(oneOf(simpleNames), (name, place, context) => {
  switch (name) {
    case "PASSTHROUGH":
      report(place, context, {
        code: "KIR1006",
        message: `"${renderPath(place)}" is PASSTHROUGH, which is not supported: no connection on this machine is redirected, so none has an address that it was meant for.`,
        hint: "Remove it, or route this host elsewhere.",
      });
      return invalid;
    case "LEAST_CONN":
      report(place, context, {
        code: "KIR1013",
        message: `"${renderPath(place)}" is LEAST_CONN, the deprecated name of LEAST_REQUEST.`,
      });
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

const decodeAttribute: Decoder<readonly [name: string, value: string]> = transform(
  object({ fields: { name: required(notEmpty), value: withDefault(string, "") } }),
  ({ name, value }) => [name, value] as const,
);

const decodeCookie = object({
  fields: {
    name: required(notEmpty),
    path: optional(string),
    ttl: optional(durationOrZeroMs),
    attributes: withDefault(list(decodeAttribute), []),
  },
});

/** Envoy's own bound; a ring is kept in memory for every destination. */
const maximumRingSize = 8_388_608;

const ringSize = refine(integer, (value) =>
  value < 0 || value > maximumRingSize ? `must be from 0 to ${maximumRingSize}, but is ${value}` : undefined,
);

/** Maglev needs a prime; 5000011 is Envoy's own bound. */
const tableSize = refine(integer, (value) =>
  value === 0 || (value < 5_000_011 && isPrime(value))
    ? undefined
    : `must be a prime number below 5000011, but is ${value}`,
);

function isPrime(value: number): boolean {
  if (value < 2) {
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
    maglev: optional(object({ fields: { tableSize: optional(tableSize) } })),
  },
});

type HashFields = Exclude<ReturnType<typeof hashFields>, symbol>;

const decodeHash: Decoder<ConsistentHash> = transform(hashFields, (fields, place, context) => {
  const keys = hashKeys(fields);
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    return reportValue(
      place,
      context,
      "needs exactly one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName",
    );
  }
  const { minimumRingSize, ringHash, maglev } = fields;
  if ([minimumRingSize, ringHash, maglev].filter((value) => value !== undefined).length > 1) {
    const message = `"${renderPath(place)}" must have only one of minimumRingSize, ringHash and maglev.`;
    report(place, context, { code: "KIR1014", message });
    return invalid;
  }
  if (minimumRingSize !== undefined) {
    const message = `"${renderPath(place)}.minimumRingSize" is deprecated.`;
    report(place, context, { code: "KIR1013", message, hint: "Write ringHash: {minimumRingSize: N} instead." });
  }
  const algorithm =
    maglev === undefined
      ? ({ kind: "ringHash", minimumRingSize: ringHash?.minimumRingSize ?? minimumRingSize } as const)
      : ({ kind: "maglev", tableSize: maglev.tableSize === 0 ? undefined : maglev.tableSize } as const);
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

const aggression = refine(number, (value) => (value < 1 ? `must be 1 or more, but is ${value}` : undefined));

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
    },
    unsupported: { zoneAwareLbSetting: "endpoints on one machine have no zones to weigh" },
  }),
  ({ simple, consistentHash, localityLbSetting, warmup, warmupDurationSecs }, place, context) => {
    if (simple !== undefined && consistentHash !== undefined) {
      report(place, context, {
        code: "KIR1014",
        message: `"${renderPath(place)}" must not have both simple and consistentHash.`,
      });
      return invalid;
    }
    const extras = {
      locality: localityLbSetting,
      warmup:
        warmup ??
        (warmupDurationSecs === undefined
          ? undefined
          : { durationMs: warmupDurationSecs, minimumPercent: undefined, aggression: undefined }),
    };
    if (consistentHash !== undefined) {
      return { kind: "consistentHash", hash: consistentHash, ...extras };
    }
    const isEmpty = simple === undefined && extras.locality === undefined && extras.warmup === undefined;
    return isEmpty ? undefined : { kind: "simple", simple: simple ?? "LEAST_REQUEST", ...extras };
  },
);

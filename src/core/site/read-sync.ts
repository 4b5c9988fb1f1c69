import { asObject, asText, asList, type JsonObject } from "./json-value.ts";
import { readRefusal } from "./read-refusal.ts";

/** What one istiod knows of one proxy that is connected to it. */
export interface SyncedProxy {
  /** `pod.namespace`, as istiod calls it. */
  readonly proxy: string;
  /** `router`, `sidecar`, ...; undefined where an older istiod does not say. */
  readonly kind: string | undefined;
  /** The version of Istio that the proxy has. */
  readonly version: string | undefined;
  readonly types: Readonly<Partial<Record<SyncedTypeName, SyncedType>>>;
}

export type SyncedTypeName = "cluster" | "listener" | "route" | "endpoint";

export interface SyncedType {
  readonly sent: SyncedNonce | undefined;
  readonly acked: SyncedNonce | undefined;
  /** What the proxy said when it refused; undefined after it has taken something newer. */
  readonly lastError: string | undefined;
  /** Milliseconds since 1970. */
  readonly sentAtMs: number | undefined;
}

/** A nonce is the version of a push and a random rest. Source: Istio `pilot/pkg/xds/discovery.go`, nonce, NextVersion. */
export interface SyncedNonce {
  readonly nonce: string;
  /** When the push began, as RFC 3339 in whole seconds, and its number since istiod started: `2026-11-21T10:00:00Z/17`. */
  readonly version: string;
  /** The number alone; it begins anew when istiod does. */
  readonly push: number;
}

/**
 * What `/debug/syncz` says, of Istio 1.20 and newer. Whatever is not of that form gives nothing.
 * Source: Istio `pilot/pkg/xds/debug.go`, SyncStatus.
 */
export function readSync(json: unknown): readonly SyncedProxy[] {
  return asList(json).flatMap((each) => {
    const status = asObject(each);
    const proxy = asText(status["proxy"]);
    if (proxy === undefined) return [];
    const types: Partial<Record<SyncedTypeName, SyncedType>> = {};
    for (const name of typeNames) {
      const type = readType(name, status);
      if (type !== undefined) types[name] = type;
    }
    return [{ proxy, kind: asText(status["proxy_type"]), version: asText(status["istio_version"]), types }];
  });
}

const typeNames = ["cluster", "listener", "route", "endpoint"] as const;

/** Ends of type URLs, and the short names that tools give them. */
const spellings: Readonly<Record<SyncedTypeName, readonly string[]>> = {
  cluster: ["cluster", "cds"],
  listener: ["listener", "lds"],
  route: ["routeconfiguration", "rds"],
  endpoint: ["clusterloadassignment", "eds"],
};

function readType(name: SyncedTypeName, status: JsonObject): SyncedType | undefined {
  const resource = findResource(name, asObject(status["resources"]));
  const sent = readNonce(resource["sent"] ?? status[`${name}_sent`]);
  const acked = readNonce(resource["acked"] ?? status[`${name}_acked`]);
  const lastError = readRefusal(asText(resource["lastError"]) ?? asText(resource["last_error"]));
  if (sent === undefined && acked === undefined && lastError === undefined) return undefined;
  return { sent, acked, lastError, sentAtMs: readTime(resource["sentTime"] ?? resource["sent_time"]) };
}

/** By the last part of `type.googleapis.com/envoy.config.cluster.v3.Cluster`. */
function findResource(name: SyncedTypeName, resources: JsonObject): JsonObject {
  for (const [url, value] of Object.entries(resources)) {
    const last = url.slice(Math.max(url.lastIndexOf("."), url.lastIndexOf("/")) + 1).toLowerCase();
    if (spellings[name].includes(last)) return asObject(value);
  }
  return {};
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu;

/** Undefined for what is no nonce of a push. */
export function readNonce(nonce: unknown): SyncedNonce | undefined {
  if (typeof nonce !== "string") return undefined;
  const version = nonce.replace(uuid, "");
  const [, number] = /\/(\d{1,15})$/u.exec(version) ?? [];
  return version === nonce || number === undefined ? undefined : { nonce, version, push: Number(number) };
}

/** Go writes the year 1 where a time was never set. */
function readTime(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) || time <= 0 ? undefined : time;
}

import { createHash } from "node:crypto";
import { derivationOf, deriveMap, reconcileMap } from "../core/envoy/derived-map.ts";
import type { ResourceType } from "./resource-types.ts";

export interface Resource {
  /** A hash of the bytes: equal content has an equal version, whoever made it and when. */
  readonly version: string;
  readonly bytes: Uint8Array;
}

export type ResourcesByName = ReadonlyMap<string, Resource>;

/**
 * All that proxies should have, as one immutable value. A type that is undefined is not known yet: nothing is said about
 * it, so that a proxy that was running before keeps what it has.
 */
export type Snapshot = Readonly<Record<ResourceType, ResourcesByName | undefined>> & {
  /** Clusters and endpoints that proxies have and the snapshot lacks stay, because routes may still use them. */
  readonly withholdsRemovals: boolean;
  /** Route configurations that only connections from before the newest listeners still use. */
  readonly lingeringRoutes: ReadonlySet<string>;
};

export const emptySnapshot: Snapshot = {
  secrets: undefined,
  clusters: undefined,
  endpoints: undefined,
  listeners: undefined,
  scopes: undefined,
  routes: undefined,
  runtime: undefined,
  withholdsRemovals: true,
  lingeringRoutes: new Set(),
};

const built = new WeakMap<object, ResourcesByName>();

/**
 * Versions encoded resources. One with the same bytes as before stays the same object, so that it is hashed once; of
 * bytes that were made from others by changing a few, only those few are looked at.
 */
export function buildResources(
  encoded: ReadonlyMap<string, Uint8Array>,
  before: ResourcesByName = new Map(),
): ResourcesByName {
  const known = built.get(encoded);
  if (known !== undefined) return known;
  const derivation = derivationOf(encoded);
  const base = derivation && built.get(derivation.base);
  const resources =
    derivation === undefined || base === undefined
      ? reconcileMap(before, versionAll(encoded, before))
      : deriveMap(base, new Map(derivation.touched.map((name) => [name, version(encoded.get(name), base.get(name))])));
  built.set(encoded, resources);
  return resources;
}

function versionAll(encoded: ReadonlyMap<string, Uint8Array>, before: ResourcesByName): Map<string, Resource> {
  const resources = new Map<string, Resource>();
  for (const [name, bytes] of encoded) resources.set(name, versionBytes(bytes, before.get(name)));
  return resources;
}

function version(bytes: Uint8Array | undefined, known: Resource | undefined): Resource | undefined {
  return bytes === undefined ? undefined : versionBytes(bytes, known);
}

function versionBytes(bytes: Uint8Array, known: Resource | undefined): Resource {
  const isSame = known !== undefined && (known.bytes === bytes || Buffer.compare(known.bytes, bytes) === 0);
  return isSame ? known : { version: hash(bytes), bytes };
}

/** One version for all resources of a type, to show in a status. */
export function overallVersion(resources: ResourcesByName): string {
  const known = overallVersions.get(resources);
  if (known !== undefined) return known;
  const parts = [...resources].map(([name, { version }]) => `${name} ${version}`).toSorted();
  const version = hash(Buffer.from(parts.join("\n")));
  overallVersions.set(resources, version);
  return version;
}

const overallVersions = new WeakMap<ResourcesByName, string>();

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

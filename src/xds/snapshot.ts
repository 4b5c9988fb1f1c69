import { createHash } from "node:crypto";
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
};

export const emptySnapshot: Snapshot = {
  secrets: undefined,
  clusters: undefined,
  endpoints: undefined,
  listeners: undefined,
  routes: undefined,
  runtime: undefined,
  withholdsRemovals: true,
};

/** Versions encoded resources. One with the same bytes as before stays the same object, so that it is hashed once. */
export function buildResources(
  encoded: ReadonlyMap<string, Uint8Array>,
  before: ResourcesByName = new Map(),
): ResourcesByName {
  const resources = new Map<string, Resource>();
  for (const [name, bytes] of encoded) {
    const known = before.get(name);
    const isSame = known !== undefined && (known.bytes === bytes || Buffer.compare(known.bytes, bytes) === 0);
    resources.set(name, isSame ? known : { version: hash(bytes), bytes });
  }
  return resources;
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

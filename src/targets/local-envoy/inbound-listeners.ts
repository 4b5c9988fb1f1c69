import { deriveMap } from "../../core/envoy/derived-map.ts";
import { parseInboundName } from "../../core/routes/inbound-names.ts";
import type { Resource, ResourcesByName, Snapshot } from "../../xds/snapshot.ts";

/**
 * Listeners before workloads that proxies do not have yet. They must be there before the first endpoint leads to them,
 * while all others follow the endpoints. Empty where nothing is known of what proxies have: one that starts has no
 * requests, and one that ran before mostly has them.
 */
export function newInbound(before: ResourcesByName | undefined, after: ResourcesByName): ReadonlyMap<string, Resource> {
  if (before === undefined || before === after) return new Map();
  return new Map([...after].filter(([name]) => isInbound(name) && !before.has(name)));
}

/** Listeners before workloads that the next table lacks: routes of the table before may lead there until the end. */
export function goneInbound(
  before: ResourcesByName | undefined,
  after: ResourcesByName,
): ReadonlyMap<string, Resource> {
  if (before === undefined || before === after) return new Map();
  return new Map([...before].filter(([name]) => isInbound(name) && !after.has(name)));
}

/** The endpoints of an addition without a change of those that are in use. */
export function addedEndpoints({ endpoints: before }: Snapshot, after: ResourcesByName): ResourcesByName {
  if (before === undefined || before === after) return after;
  return deriveMap(before, new Map([...after].filter(([name]) => !before.has(name))));
}

function isInbound(name: string): boolean {
  return parseInboundName(name) !== undefined;
}

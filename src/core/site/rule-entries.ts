import { resolveDestinationHost } from "../mesh/host-name.ts";
import { nameDestination } from "../routes/name-destination.ts";
import type { Arm, DestinationId, Split } from "../routes/route-table.ts";
import { asList, asObject, asText, type JsonObject } from "./json-value.ts";

/** One entry of a rule's `route`, with the arm that it is. */
export interface RuleEntry {
  /** As it is written. */
  readonly entry: JsonObject;
  readonly arm: DestinationId;
}

/** The entries of `route`, as they are. */
export function routeEntries(rule: JsonObject): readonly JsonObject[] {
  return asList(rule["route"]).map(asObject);
}

/**
 * Says of each entry which arm it is: by host, subset and port; where no port is written the one is meant that is left.
 * Undefined where that leaves a doubt.
 */
export function matchEntries(rule: JsonObject, { arms }: Split, namespace: string): readonly RuleEntry[] | undefined {
  const entries = routeEntries(rule);
  const found = new Map<number, DestinationId>();
  const take = (at: number, candidates: readonly Arm[]): void => {
    const [only] = candidates;
    if (only !== undefined && candidates.length === 1) found.set(at, only.destination);
  };
  const candidatesOf = entries.map((entry) => arms.filter((arm) => isMeant(entry, arm, namespace)));
  for (const [at, entry] of entries.entries()) if (portOf(entry) !== undefined) take(at, candidatesOf[at] ?? []);
  const taken = new Set(found.values());
  for (const [at, entry] of entries.entries()) {
    if (portOf(entry) !== undefined) continue;
    const candidates = candidatesOf[at] ?? [];
    const left = candidates.filter(({ destination }) => !taken.has(destination));
    take(at, candidates.length === 1 ? candidates : left);
  }
  pairLast(entries, arms, found);
  const matched = entries.flatMap((entry, at) => {
    const arm = found.get(at);
    return arm === undefined ? [] : [{ entry, arm }];
  });
  return matched.length === entries.length ? matched : undefined;
}

/** What an ExternalName Service stands for has another host: the entry and the declared arm that are left belong together. */
function pairLast(entries: readonly JsonObject[], arms: readonly Arm[], found: Map<number, DestinationId>): void {
  const taken = new Set(found.values());
  const left = arms.filter(({ destination, isDeclared }) => isDeclared && !taken.has(destination));
  const open = entries.flatMap((_, at) => (found.has(at) ? [] : [at]));
  const [arm] = left;
  const [at] = open;
  if (arm !== undefined && at !== undefined && left.length === 1 && open.length === 1) found.set(at, arm.destination);
}

function isMeant(entry: JsonObject, { destination }: Arm, namespace: string): boolean {
  const { host, subset, port } = nameDestination(destination);
  const written = destinationOf(entry);
  const wanted = portOf(entry);
  return (
    resolveDestinationHost(asText(written["host"]) ?? "", namespace) === host &&
    (asText(written["subset"]) ?? null) === subset &&
    (wanted === undefined || wanted === port)
  );
}

function destinationOf(entry: JsonObject): JsonObject {
  return asObject(entry["destination"]);
}

function portOf(entry: JsonObject): number | undefined {
  const number = asObject(destinationOf(entry)["port"])["number"];
  return typeof number === "number" ? number : undefined;
}

/** Undefined where none is written: Istio takes that as 100 for a single destination, and as 0 among several. */
export function weightOf(entry: JsonObject): number | undefined {
  const { weight } = entry;
  return typeof weight === "number" ? weight : undefined;
}

/** Names an entry within its rule, as it is written. */
export function entryKey(entry: JsonObject): string {
  const { host, subset } = destinationOf(entry);
  return [asText(host) ?? "", asText(subset) ?? "", portOf(entry) ?? ""].join("|");
}

/**
 * The destination of an arm that the rule has no entry for, written as its siblings are: the host in short where theirs
 * are, and no port where a sibling of the same service has none.
 */
export function writeDestination(arm: DestinationId, entries: readonly RuleEntry[], namespace: string): JsonObject {
  const { host, subset, port } = nameDestination(arm);
  const twin = entries.find((each) => nameDestination(each.arm).host === host);
  const written = destinationOf((twin ?? entries[0])?.entry ?? {});
  // Without a port the same service's is meant in the same way; which one another service has is not known here.
  const isPortMeant = twin !== undefined && written["port"] === undefined;
  return {
    host: writeHost(host, asText(written["host"]) ?? "", namespace),
    ...(isPortMeant ? {} : { port: { number: port } }),
    ...(subset === null ? {} : { subset }),
  };
}

function writeHost(host: string, sibling: string, namespace: string): string {
  if (resolveDestinationHost(sibling, namespace) === host) return sibling;
  const [short = host] = host.split(".");
  return !sibling.includes(".") && resolveDestinationHost(short, namespace) === host ? short : host;
}

import type { Destination, DestinationId, HttpRouting, RouteTable } from "../routes/route-table.ts";
import { compareLists } from "./compare-lists.ts";
import { derivationOf, deriveMap, reconcileMap } from "./derived-map.ts";
import { encodeOwnPart, encodeRouteForm, holdsWith, isEachAlone } from "./encode-routes.ts";
import { hasOwnScope, type RouteForm, type RouteForms, scopedPartName } from "./route-forms.ts";
import { encodeScopes } from "./scoped-routes.ts";

type Destinations = ReadonlyMap<DestinationId, Destination>;
type EncodedByName = ReadonlyMap<string, Uint8Array>;

interface EncodedRouting {
  readonly routing: HttpRouting;
  readonly destinations: Destinations;
  readonly forms: readonly RouteForm[];
  readonly routes: EncodedByName;
  readonly scopes: EncodedByName;
  /** Whether every host with a scope has it for itself, so that its part is made of it alone. */
  readonly isEachAlone: boolean;
}

/** Encodes the routings of one table after another, each from what the one before it was. */
export class RouteEncoder {
  #known: ReadonlyMap<string, EncodedRouting> = new Map();
  #routes: EncodedByName = new Map();
  #scopes: EncodedByName = new Map();

  encode(table: RouteTable, forms: RouteForms): { readonly routes: EncodedByName; readonly scopes: EncodedByName } {
    const before = this.#known;
    const next = new Map<string, EncodedRouting>();
    for (const routing of table.httpRoutings) {
      next.set(routing.id, encodeRouting(routing, { table, forms: formsOf(routing.id, forms), before }));
    }
    this.#known = next;
    this.#routes = joinMaps(this.#routes, { before, after: next }, ({ routes }) => routes);
    this.#scopes = joinMaps(this.#scopes, { before, after: next }, ({ scopes }) => scopes);
    return { routes: this.#routes, scopes: this.#scopes };
  }
}

/** The forms in which a routing is given; more than one only while connections of before its change of form are open. */
function formsOf(routing: string, { scoped, lingering }: RouteForms): readonly RouteForm[] {
  if (lingering.has(routing)) return ["whole", "scoped"];
  return [scoped.has(routing) ? "scoped" : "whole"];
}

interface RoutingSurroundings {
  readonly table: RouteTable;
  readonly forms: readonly RouteForm[];
  readonly before: ReadonlyMap<string, EncodedRouting>;
}

function encodeRouting(routing: HttpRouting, { table, forms, before }: RoutingSurroundings): EncodedRouting {
  const { destinations } = table;
  const known = before.get(routing.id);
  const hasSameForms = known !== undefined && known.forms.join() === forms.join();
  if (hasSameForms) {
    if (known.routing === routing && known.destinations === destinations) return known;
    const changed = changeScoped(known, routing, destinations);
    if (changed !== undefined) return changed;
  }
  const encoded = new Map(forms.flatMap((form) => [...encodeRouteForm(routing, destinations, form)]));
  const scopes = forms.includes("scoped") ? encodeScopes(routing) : new Map<string, Uint8Array>();
  return {
    routing,
    destinations,
    forms,
    routes: hasSameForms ? reconcileMap(known.routes, encoded) : encoded,
    scopes: hasSameForms ? reconcileMap(known.scopes, scopes, isEqual) : scopes,
    isEachAlone: isEachAlone(routing),
  };
}

/**
 * Where hosts with scopes of their own were replaced by others of the same names, nothing else is encoded; destinations
 * that came or went count for those hosts alone that have read them.
 */
function changeScoped(
  known: EncodedRouting,
  routing: HttpRouting,
  destinations: Destinations,
): EncodedRouting | undefined {
  const [form, ...others] = known.forms;
  if (form !== "scoped" || others.length > 0 || known.routing.matchesPorts !== routing.matchesPorts) return undefined;
  const { added, removed } = compareLists(known.routing.virtualHosts, routing.virtualHosts);
  if (!known.isEachAlone || ![...added, ...removed].every(hasOwnScope)) return undefined;
  const names = (hosts: typeof added): string =>
    hosts
      .map(({ domain, aliases = [] }) => [domain, ...aliases].join())
      .toSorted()
      .join("\n");
  if (names(added) !== names(removed)) return undefined;
  const outdated =
    destinations === known.destinations
      ? []
      : routing.virtualHosts.filter((host) => !holdsWith(host, known.destinations) || !holdsWith(host, destinations));
  // What all other hosts share is one configuration, which is made of all of them.
  if (!outdated.every(hasOwnScope)) return undefined;
  const changes = [...new Set([...added, ...outdated])].map(
    (host) => [scopedPartName(routing.id, host), encodeOwnPart(routing, host, destinations)] as const,
  );
  return { ...known, routing, destinations, routes: deriveMap(known.routes, new Map(changes)) };
}

type EncodedRoutings = ReadonlyMap<string, EncodedRouting>;

/** One map of the maps of all routings; entries of different routings have different names. */
function joinMaps(
  joined: EncodedByName,
  { before, after }: { readonly before: EncodedRoutings; readonly after: EncodedRoutings },
  part: (routing: EncodedRouting) => EncodedByName,
): EncodedByName {
  const changes = new Map<string, Uint8Array | undefined>();
  for (const [id, routing] of before) {
    if (!after.has(id)) for (const name of part(routing).keys()) changes.set(name, undefined);
  }
  for (const [id, routing] of after) {
    const known = before.get(id);
    for (const name of touchedNames(known && part(known), part(routing))) changes.set(name, part(routing).get(name));
  }
  return deriveMap(joined, changes);
}

function touchedNames(before: EncodedByName | undefined, after: EncodedByName): Iterable<string> {
  if (before === after) return [];
  const derivation = derivationOf(after);
  if (before !== undefined && derivation?.base === before) return derivation.touched;
  return new Set([...(before?.keys() ?? []), ...after.keys()]);
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { VirtualHostSchema } from "../../gen/envoy/config/route/v3/route_components_pb.ts";
import { RouteConfigurationSchema } from "../../gen/envoy/config/route/v3/route_pb.ts";
import type { Destination, DestinationId, HttpRouting, VirtualHost } from "../routes/route-table.ts";
import { ReadDestinations } from "./read-destinations.ts";
import { type RouteForm, scopedPartName, scopeOf, sharedScope } from "./route-forms.ts";
import { emitRouteSettings, emitVirtualHost } from "./routes.ts";
import { emitScopedSettings, foundMetadata } from "./scoped-routes.ts";

type Destinations = ReadonlyMap<DestinationId, Destination>;
type EncodedByName = ReadonlyMap<string, Uint8Array>;

function encodePartSettings(routing: HttpRouting, name: string): Uint8Array {
  const isShared = name === `${routing.id}/${sharedScope}`;
  const settings = { ...emitRouteSettings(name, routing), ...emitScopedSettings(isShared) };
  return toBinary(RouteConfigurationSchema, create(RouteConfigurationSchema, settings));
}

/**
 * The route configurations of a routing in one form, as bytes by name, made of cached pieces: a virtual host that is
 * the same object as before, and whose destinations are, costs no more than a copy of its bytes in the whole form, and
 * nothing in the scoped one.
 */
export function encodeRouteForm(routing: HttpRouting, destinations: Destinations, form: RouteForm): EncodedByName {
  switch (form) {
    case "whole": {
      const head = toBinary(
        RouteConfigurationSchema,
        create(RouteConfigurationSchema, emitRouteSettings(routing.id, routing)),
      );
      return new Map([[routing.id, splice(head, encodeHosts(routing.virtualHosts, destinations))]]);
    }
    case "scoped":
      return encodeParts(routing, destinations);
  }
}

function encodeParts(routing: HttpRouting, destinations: Destinations): EncodedByName {
  const shared = `${routing.id}/${sharedScope}`;
  const parts = Map.groupBy(routing.virtualHosts, (host) => scopedPartName(routing.id, host));
  const encoded = new Map<string, Uint8Array>();
  for (const [name, hosts] of parts) {
    const [host] = hosts;
    if (name === shared || host === undefined) continue;
    const bytes =
      hosts.length === 1
        ? encodeOwnPart(routing, host, destinations)
        : encodeJoinedPart(encodePartSettings(routing, name), hosts, destinations);
    encoded.set(name, bytes);
  }
  const fields = encodeHosts(parts.get(shared) ?? [], destinations);
  return encoded.set(shared, splice(encodePartSettings(routing, shared), fields));
}

/** Whether every host with a scope has it for itself. */
export function isEachAlone(routing: HttpRouting): boolean {
  const seen = new Set<string>();
  for (const scope of routing.virtualHosts.map(scopeOf)) {
    if (scope !== sharedScope && seen.has(scope)) return false;
    seen.add(scope);
  }
  return true;
}

interface EncodedPart {
  readonly routing: string;
  readonly message: Uint8Array;
  readonly bytes: Uint8Array;
}

const encodedParts = new WeakMap<VirtualHost, EncodedPart>();

/** The configuration of one host that has a scope of its own. */
export function encodeOwnPart(routing: HttpRouting, host: VirtualHost, destinations: Destinations): Uint8Array {
  const message = encodeVirtualHost(host, destinations);
  const known = encodedParts.get(host);
  if (known !== undefined && known.routing === routing.id && known.message === message) return known.bytes;
  const name = scopedPartName(routing.id, host);
  const bytes = splice(encodePartSettings(routing, name), [asField(concatenate([message, foundField]))]);
  encodedParts.set(host, { routing: routing.id, message, bytes });
  return bytes;
}

/** The configuration of several hosts in one scope, which is that of wildcards. */
function encodeJoinedPart(settings: Uint8Array, hosts: readonly VirtualHost[], destinations: Destinations): Uint8Array {
  const messages = hosts.map((host) => concatenate([encodeVirtualHost(host, destinations), foundField]));
  return splice(settings, messages.map(asField));
}

/** Fields of a message may come in any order, so that one can be put behind the others (protobuf encoding guide). */
const foundField = toBinary(VirtualHostSchema, create(VirtualHostSchema, { metadata: foundMetadata }));
const virtualHostsField = 2;

function encodeHosts(hosts: readonly VirtualHost[], destinations: Destinations): readonly Uint8Array[] {
  return hosts.map((host) => asField(encodeVirtualHost(host, destinations)));
}

function asField(message: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(virtualHostsField, WireType.LengthDelimited).bytes(message).finish();
}

interface EncodedVirtualHost {
  readonly read: ReadDestinations;
  readonly bytes: Uint8Array;
}

const encodedHosts = new WeakMap<VirtualHost, EncodedVirtualHost>();

/** Whether what was encoded of a host before is what these destinations give too. */
export function holdsWith(host: VirtualHost, destinations: Destinations): boolean {
  return encodedHosts.get(host)?.read.holdsFor(destinations) === true;
}

/** Hash policies come from the destinations, so that bytes hold for as long as those that were read stay the same. */
function encodeVirtualHost(host: VirtualHost, destinations: Destinations): Uint8Array {
  const known = encodedHosts.get(host);
  if (known?.read.holdsFor(destinations) === true) return known.bytes;
  const read = new ReadDestinations(destinations);
  const bytes = toBinary(VirtualHostSchema, emitVirtualHost(host, read));
  encodedHosts.set(host, { read, bytes });
  return bytes;
}

function splice(head: Uint8Array, fields: readonly Uint8Array[]): Uint8Array {
  return concatenate([head, ...fields]);
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.length;
  }
  return bytes;
}

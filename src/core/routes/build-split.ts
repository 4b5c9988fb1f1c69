import type { Destination, HttpRouteDestination } from "../manifest/virtual-service.ts";
import { resolveDestinationHost } from "../mesh/host-name.ts";
import type { DestinationRef, DestinationResolver } from "./destinations.ts";
import { destinationId } from "./destinations.ts";
import { authorityOf, buildHeaderMutation, noMutation } from "./header-mutation.ts";
import type { Arm, DestinationId, Split, SplitId } from "./route-table.ts";

/** What decides where the destinations of one VirtualService lead on one listener. */
export interface SplitContext {
  readonly namespace: string;
  readonly listenerPort: number;
  readonly destinations: DestinationResolver;
  /** Destinations without subset that the whole VirtualService names; each can stand in for another. */
  readonly siblings: readonly DestinationRef[];
}

export type SplitResult =
  | { readonly kind: "split"; readonly split: Split }
  | { readonly kind: "refused"; readonly code: "KIR1102" | "KIR1104"; readonly message: string };

/** Hosts take each other's traffic only while they are few: a VirtualService with many is no pair of versions. */
const siblingLimit = 4;

/**
 * The split of one rule: its declared arms, then idle ones for the versions that it could move to. One destination
 * takes everything whatever its weight; of several, weights need not add up to 100. Source: Istio `route.go`.
 */
export function buildSplit(id: SplitId, declared: readonly HttpRouteDestination[], context: SplitContext): SplitResult {
  const arms = new Map<string, Arm>();
  const refs: DestinationRef[] = [];
  for (const { destination, weight, headers } of declared) {
    const ref = refOf(destination, context);
    refs.push(ref);
    const arm = buildArm(context.destinations.resolve(ref), declared.length === 1 ? undefined : { weight, headers });
    const twin = arms.get(arm.destination);
    if (twin !== undefined && !hasSameHeaders(twin, arm)) {
      return { kind: "refused", code: "KIR1104", message: `Destination ${arm.destination} is named twice.` };
    }
    arms.set(arm.destination, twin === undefined ? arm : { ...twin, weight: twin.weight + arm.weight });
  }
  if (![...arms.values()].some((arm) => arm.weight > 0)) {
    return { kind: "refused", code: "KIR1102", message: "The weights of the destinations add up to 0." };
  }
  for (const ref of idleRefs(refs, context)) {
    if (!context.destinations.exists(ref)) continue;
    // The name of a destination depends on who sends, so it is the resolver's to give.
    const destination = context.destinations.resolve(ref);
    if (!arms.has(destination)) arms.set(destination, { ...idleArm, destination });
  }
  return { kind: "split", split: { id, arms: [...arms.values()] } };
}

/** The changes of an only destination belong to its rule, so its arm has none. */
function buildArm(
  destination: DestinationId,
  share: Pick<HttpRouteDestination, "weight" | "headers"> | undefined,
): Arm {
  if (share === undefined) {
    return { destination, weight: 100, isDeclared: true, requestHeaders: noMutation, responseHeaders: noMutation };
  }
  const hostRewrite = authorityOf(share.headers.request);
  return {
    destination,
    weight: share.weight ?? 0,
    isDeclared: true,
    ...(hostRewrite === undefined ? {} : { hostRewrite }),
    requestHeaders: buildHeaderMutation(share.headers.request),
    responseHeaders: buildHeaderMutation(share.headers.response),
  };
}

/** The destinations without subset among those given, each once; none when there are too many to be versions. */
export function siblingsOf(
  destinations: readonly Destination[],
  context: Omit<SplitContext, "siblings">,
): readonly DestinationRef[] {
  const refs = new Map<string, DestinationRef>();
  for (const destination of destinations) {
    if (destination.subset === undefined) {
      const ref = refOf(destination, context);
      refs.set(destinationId(ref), ref);
    }
  }
  return refs.size > siblingLimit ? [] : [...refs.values()];
}

/** Host in full and port decided. An ExternalName Service decides about the port alone: its other host is meant. */
export function refOf(
  destination: Destination,
  { namespace, listenerPort, destinations }: Omit<SplitContext, "siblings">,
): DestinationRef {
  const host = resolveDestinationHost(destination.host, namespace);
  const port = destination.port ?? destinations.inferPort(host, listenerPort);
  return { host: destinations.aliasOf(host) ?? host, subset: destination.subset, port };
}

const idleArm = { weight: 0, isDeclared: false, requestHeaders: noMutation, responseHeaders: noMutation };

function idleRefs(declared: readonly DestinationRef[], context: SplitContext): readonly DestinationRef[] {
  return declared.flatMap((ref) =>
    ref.subset === undefined
      ? context.siblings
      : context.destinations.subsetsOf(ref.host).map((subset) => ({ ...ref, subset })),
  );
}

function hasSameHeaders(left: Arm, right: Arm): boolean {
  return (
    JSON.stringify([left.hostRewrite, left.requestHeaders, left.responseHeaders]) ===
    JSON.stringify([right.hostRewrite, right.requestHeaders, right.responseHeaders])
  );
}

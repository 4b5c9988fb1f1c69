import type { UpEvent } from "../../app-types.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { AdditionBook } from "../../engine/addition-book.ts";
import { createSystemClock } from "../../engine/clock.ts";
import { createEngine, type Engine } from "../../engine/engine.ts";
import type { Journal } from "../../engine/journal.ts";
import { createJudges } from "../../judges/create-judges.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { AddressRule } from "../../local/limit-addresses.ts";
import { readSecret } from "../../local/read-secret.ts";
import { SiteTarget } from "../../targets/istio/site-target.ts";
import type { Target } from "../../engine/ports.ts";
import { SitesTarget } from "../../targets/sites.ts";
import type { SiteConnection } from "./connection/connect-site.ts";
import { FollowedSidecars } from "./followed-sidecars.ts";
import { localAdditions, ManyPlaces } from "./many/many-places.ts";
import { ManyRoutes } from "./many/many-routes.ts";
import type { MovedPlace, MovedRoutes } from "./mesh/moved-site.ts";
import { type GatewaySite, openGatewayWays } from "./gateways/gateway-ways.ts";
import { limitApi } from "./connection/limited-api.ts";
import { SiteMesh } from "./mesh/site-mesh.ts";
import { gatewayPlaces } from "./objects/gateway-places.ts";
import type { SiteObjects } from "./objects/site-objects.ts";
import { SiteRuntime } from "./site-runtime.ts";

/** How long requests are counted after "done" where they can be counted. */
const settleMs = 500;
/** The write, istiod's debounce of up to 10 s, its push to the last proxy, and the proof. */
const applyTimeoutMs = 60_000;

export interface AssembleOptions {
  readonly connection: SiteConnection;
  readonly objects: SiteObjects;
  /** Clusters that are moved together with it, under names with their context in front. */
  readonly others?: readonly { readonly connection: SiteConnection; readonly objects: SiteObjects }[];
  readonly journal: Journal;
  /** Whom annotations name. */
  readonly actor: string;
  readonly allowsCommands: boolean;
  /** Whether rules are written in the namespace of their VirtualService only, and not in delegates elsewhere. */
  readonly isConfined?: boolean;
  /** Says which addresses judges, notifications and requests to gateways may have; absent is all. */
  readonly addresses?: AddressRule;
  /** Whether Releases of the cluster keep their rules from being moved from here; a controller carries those out. */
  readonly heedsReleases?: boolean;
  /** Where files are that Releases name. */
  readonly folder: string;
  readonly onEvent: (event: UpEvent) => void;
}

export interface AssembledSite {
  /** Of the first, or only, cluster. */
  readonly mesh: SiteMesh;
  /** Of all of them. */
  readonly routes: MovedRoutes;
  readonly target: SiteTarget;
  readonly engine: Engine;
  readonly runtime: SiteRuntime;
  /** To be asked before anything is planned. */
  readonly sidecars: FollowedSidecars;
}

/** One cluster of those that an engine moves. */
interface SitePart extends GatewaySite {
  readonly connection: SiteConnection;
  readonly mesh: SiteMesh;
  readonly target: SiteTarget;
}

/** What is known when there is an engine. */
interface Known {
  engine?: Engine;
}

/**
 * The engine of a site, or of several together, on the journal that it is given. The stack waits for the move that is
 * under way.
 */
export function assembleSite(options: AssembleOptions, stack: AsyncDisposableStack): AssembledSite {
  const { connection, objects, others = [], folder, allowsCommands, addresses } = options;
  const { defaultNamespace } = connection.api;
  const known: Known = {};
  const additions = (): readonly OwnedAddition[] => new AdditionBook().collect(known.engine?.releases() ?? []);
  const owns = (release: string): boolean =>
    known.engine?.releases().some(({ plan }) => plan.release === release) === true;
  const isAlone = others.length === 0;
  const parts = [{ connection, objects }, ...others].map((each) => {
    const { context } = each.connection.options;
    const own = isAlone ? additions : () => localAdditions(additions(), context);
    return createPart(each, { options, additions: own, owns });
  });
  const { routes, target, place } = combineParts(parts, additions);
  const clock = createSystemClock();
  const liveWeights = (split: string) => routes.weights(split);
  const engine = createEngine({ journal: options.journal, target, clock, settleMs, applyTimeoutMs, liveWeights });
  known.engine = engine;
  const runtime = new SiteRuntime({
    context: parts.map(({ context }) => context).join(", "),
    mesh: routes,
    engine,
    target: place,
    applyTimeoutMs,
    defaultNamespace,
    ask: createJudges({ folder, allowsCommands, addresses }),
    allowsCommands,
    addresses,
    heedsReleases: options.heedsReleases === true,
    openWays: () => openGatewayWays(parts, addresses),
    readSecret: (source) => readSecret(source, { folder }),
    onEvent: options.onEvent,
  });
  stack.defer(() => runtime.idle());
  const sidecars = stack.use(new FollowedSidecars(parts, () => runtime.takeChanges()));
  const [first] = parts;
  if (first === undefined) throw new Error("There is no cluster.");
  return { mesh: first.mesh, routes, target: first.target, engine, runtime, sidecars };
}

interface PartOptions {
  readonly options: Pick<AssembleOptions, "actor" | "onEvent" | "isConfined">;
  /** Of this cluster. */
  readonly additions: () => readonly OwnedAddition[];
  readonly owns: (release: string) => boolean;
}

function createPart(
  { connection, objects }: Pick<AssembleOptions, "connection" | "objects">,
  { options, additions, owns }: PartOptions,
): SitePart {
  const { api, reach, options: site, namespaces } = connection;
  const { context, istioNamespace, takeOver } = site;
  const mesh = new SiteMesh({ context, objects, defaultNamespace: api.defaultNamespace, istioNamespace });
  const places = {
    *[Symbol.iterator]() {
      yield* [...namespaces, istioNamespace];
      yield* gatewayPlaces(objects.objects(kubeKinds.virtualService));
    },
  };
  const target = new SiteTarget({
    api: limitApi(api, places),
    view: mesh,
    reach,
    istiods: () => connection.istiods(),
    clock: createSystemClock(),
    actor: () => options.actor,
    owns,
    additions,
    takeOver,
    isConfined: options.isConfined === true,
    onTrouble: (message) => options.onEvent({ kind: "warning", message }),
  });
  return { connection, context, mesh, target, api, named: site.gatewayAddresses ?? new Map() };
}

interface Combined {
  readonly routes: MovedRoutes;
  readonly target: Target;
  readonly place: MovedPlace;
}

/** One cluster keeps its own names. */
function combineParts(parts: readonly SitePart[], additions: () => readonly OwnedAddition[]): Combined {
  const [first, second] = parts;
  if (first !== undefined && second === undefined) {
    return { routes: first.mesh, target: first.target, place: first.target };
  }
  const targets = new Map(parts.map(({ context, target }) => [context, target]));
  const target = new SitesTarget(targets);
  return {
    routes: new ManyRoutes(new Map(parts.map(({ context, mesh }) => [context, mesh]))),
    target,
    place: new ManyPlaces(targets, { target, additions }),
  };
}

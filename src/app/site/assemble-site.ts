import type { UpEvent } from "../../app-types.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { AdditionBook } from "../../engine/addition-book.ts";
import { createSystemClock } from "../../engine/clock.ts";
import { createEngine, type Engine } from "../../engine/engine.ts";
import type { Journal } from "../../engine/journal.ts";
import { createJudges } from "../../judges/create-judges.ts";
import { readSecret } from "../../local/read-secret.ts";
import { SiteTarget } from "../../targets/istio/site-target.ts";
import type { SiteConnection } from "./connect-site.ts";
import { limitApi } from "./limited-api.ts";
import { SiteMesh } from "./site-mesh.ts";
import type { SiteObjects } from "./site-objects.ts";
import { SiteRuntime } from "./site-runtime.ts";

/** How long requests are counted after "done" where they can be counted. */
const settleMs = 500;
/** The write, istiod's debounce of up to 10 s, its push to the last proxy, and the proof. */
const applyTimeoutMs = 60_000;

export interface AssembleOptions {
  readonly connection: SiteConnection;
  readonly objects: SiteObjects;
  readonly journal: Journal;
  /** Whom annotations name. */
  readonly actor: string;
  readonly allowsCommands: boolean;
  /** Whether Releases of the cluster keep their rules from being moved from here; a controller carries those out. */
  readonly heedsReleases?: boolean;
  /** Where files are that Releases name. */
  readonly folder: string;
  readonly onEvent: (event: UpEvent) => void;
}

export interface AssembledSite {
  readonly mesh: SiteMesh;
  readonly target: SiteTarget;
  readonly engine: Engine;
  readonly runtime: SiteRuntime;
}

/** The engine of a site on the journal that it is given. The stack waits for the move that is under way. */
export function assembleSite(options: AssembleOptions, stack: AsyncDisposableStack): AssembledSite {
  const { connection, objects, journal, folder, allowsCommands } = options;
  const { api, reach, options: site } = connection;
  const { defaultNamespace } = api;
  const mesh = new SiteMesh({
    context: site.context,
    objects,
    defaultNamespace,
    istioNamespace: site.istioNamespace,
  });
  const known: { engine?: Engine } = {};
  const additions = (): readonly OwnedAddition[] => new AdditionBook().collect(known.engine?.releases() ?? []);
  const target = new SiteTarget({
    api: limitApi(api, [...connection.namespaces, site.istioNamespace]),
    view: mesh,
    reach,
    istiods: () => connection.istiods(),
    clock: createSystemClock(),
    actor: () => options.actor,
    owns: (release) => known.engine?.releases().some(({ plan }) => plan.release === release) === true,
    additions,
    takeOver: site.takeOver,
    onTrouble: (message) => options.onEvent({ kind: "warning", message }),
  });
  const engine = createEngine({
    journal,
    target,
    clock: createSystemClock(),
    settleMs,
    applyTimeoutMs,
    liveWeights: (split) => mesh.weights(split),
  });
  known.engine = engine;
  const runtime = new SiteRuntime({
    context: site.context,
    mesh,
    engine,
    target,
    applyTimeoutMs,
    defaultNamespace,
    ask: createJudges({ folder, allowsCommands }),
    allowsCommands,
    heedsReleases: options.heedsReleases === true,
    readSecret: (source) => readSecret(source, { folder }),
    onEvent: options.onEvent,
  });
  stack.defer(() => runtime.idle());
  return { mesh, target, engine, runtime };
}

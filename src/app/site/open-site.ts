import type { UpEvent } from "../../app-types.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";
import { AdditionBook } from "../../engine/addition-book.ts";
import { createSystemClock } from "../../engine/clock.ts";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { type Journal, openJournal } from "../../engine/journal.ts";
import { acquireLock } from "../../engine/lock.ts";
import { createJudges } from "../../judges/create-judges.ts";
import { readSecret } from "../../local/read-secret.ts";
import { locateStateFolder, openStateFolder, type StatePaths } from "../../local/state-folder.ts";
import { SiteTarget } from "../../targets/istio/site-target.ts";
import type { SiteConnection } from "./connect-site.ts";
import { SiteMesh } from "./site-mesh.ts";
import type { SiteObjects } from "./site-objects.ts";
import { SiteRuntime } from "./site-runtime.ts";
import { siteEnvironment } from "./site-state.ts";
import { openJournalToRead } from "./unwritten-journal.ts";

/** How long requests are counted after "done" where they can be counted. */
const settleMs = 500;
/** The write, istiod's debounce of up to 10 s, its push to the last proxy, and the proof. */
const applyTimeoutMs = 60_000;

export interface OpenSiteOptions {
  readonly connection: SiteConnection;
  readonly objects: SiteObjects;
  /** `write` is for one process at a time, and ends first what an earlier one has left; `read` changes nothing. */
  readonly access: "read" | "write";
  /** Whom annotations name. */
  readonly actor: string;
  readonly allowsCommands: boolean;
  /** Where files are that Releases name. */
  readonly folder: string;
  onEvent(event: UpEvent): void;
}

export interface OpenedSite {
  readonly mesh: SiteMesh;
  readonly target: SiteTarget;
  readonly engine: Engine;
  readonly runtime: SiteRuntime;
  readonly state: StatePaths;
}

/**
 * The engine of a site, on a journal of its own. The stack ends it.
 * @throws KirikaeError KIR2022 where another process moves this site, KIR2020 and KIR2023 for its journal
 */
export async function openSite(
  options: OpenSiteOptions,
  env: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
): Promise<OpenedSite> {
  const { connection, objects, folder, allowsCommands } = options;
  const { api, reach, options: site } = connection;
  const { state, journal } = await openState(options, env, stack);
  const { defaultNamespace } = api;
  const mesh = new SiteMesh({ objects, defaultNamespace, istioNamespace: site.istioNamespace });
  const known: { engine?: Engine } = {};
  const additions = (): readonly OwnedAddition[] => new AdditionBook().collect(known.engine?.releases() ?? []);
  const target = new SiteTarget({
    api,
    view: mesh,
    reach,
    istiods: () => connection.istiods(),
    clock: createSystemClock(),
    actor: () => options.actor,
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
    defaultNamespace,
    ask: createJudges({ folder, allowsCommands }),
    allowsCommands,
    readSecret: (source) => readSecret(source, { folder }),
    onEvent: options.onEvent,
  });
  stack.defer(() => runtime.idle());
  return { mesh, target, engine, runtime, state };
}

interface OpenedState {
  readonly state: StatePaths;
  readonly journal: Journal;
}

async function openState(
  { connection, access }: OpenSiteOptions,
  env: NodeJS.ProcessEnv,
  stack: AsyncDisposableStack,
): Promise<OpenedState> {
  const { context } = connection.options;
  const own = siteEnvironment(env, context);
  if (access === "read") {
    const state = locateStateFolder(own);
    return { state, journal: stack.use(openJournalToRead(state.journal)) };
  }
  const state = await openStateFolder(own);
  const owner = { pid: process.pid, since: new Date().toISOString(), folder: `context ${context}` };
  stack.use(acquireLock({ lockFile: state.lock, ownerFile: state.lockOwner, owner }));
  return { state, journal: stack.use(openJournal(state.journal)) };
}

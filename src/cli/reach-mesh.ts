import type { ApiClient } from "../api/client.ts";
import type { UpEvent } from "../app-types.ts";
import type { SiteOptions } from "../app/site/connection/site-options.ts";
import { siteEnvironment } from "../app/site/site-state.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { CommandContext } from "./command.ts";
import { currentActor } from "./commands/move-options.ts";
import { connect } from "./connect.ts";
import { usageError } from "./usage-error.ts";

/** The mesh that a command is about. */
export interface ReachedMesh extends AsyncDisposable {
  readonly api: ApiClient;
  /** A running `up` goes on when the command has ended; what is in this process ends with it. */
  readonly runs: "elsewhere" | "here";
}

interface ReachOptions {
  /** Moves write; everything else reads, beside whoever writes. */
  readonly access: "read" | "write";
  /** Read too where whole kinds may not be listed. */
  readonly namespace?: string | undefined;
  /** How long an API server that is asked from here may take to say that it is there; absent is as long as any request. */
  readonly patienceMs?: number;
}

/**
 * The running `up` of this machine, or of the cluster that --context names, or that cluster itself where none runs.
 * Throws KIR5050 where nothing runs on this machine.
 */
export async function reachMesh(context: CommandContext, options: ReachOptions): Promise<ReachedMesh> {
  if ((context.sites?.() ?? []).length > 1) return elsewhere(await connect(meshEnvironment(context)));
  const site = chosenSite(context);
  if (site === undefined) return elsewhere(await connect(context.env));
  const running = await findRunning(siteEnvironment(context.env, site.context), "wanted");
  return running === undefined ? await reachHere(context, site, options) : elsewhere(running);
}

/** Undefined for this machine. Throws KIR5057 where several clusters are named. */
export function chosenSite(context: CommandContext): SiteOptions | undefined {
  const sites = context.sites?.() ?? [];
  if (sites.length > 1) throw usageError("This command takes one --context.", "`up` takes several.");
  return sites[0];
}

/** With the state folder of the clusters that are named, where any is. */
export function meshEnvironment(context: CommandContext): NodeJS.ProcessEnv {
  const contexts = (context.sites?.() ?? []).map((site) => site.context);
  return contexts.length === 0 ? context.env : siteEnvironment(context.env, ...contexts);
}

function elsewhere(api: ApiClient): ReachedMesh {
  return { api, runs: "elsewhere", [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** Undefined where none runs and none has to; what a dead `up` has left behind leads nowhere. Throws KIR5050 else. */
export async function findRunning(env: NodeJS.ProcessEnv, need: "needed" | "wanted"): Promise<ApiClient | undefined> {
  try {
    const api = await connect(env);
    if (need === "needed") return api;
    await api.releases({ limit: 1 });
    return api;
  } catch (error) {
    if (error instanceof KirikaeError && error.code === "KIR5050" && need === "wanted") return undefined;
    throw error;
  }
}

async function reachHere(
  context: CommandContext,
  site: SiteOptions,
  { access, namespace, patienceMs }: ReachOptions,
): Promise<ReachedMesh> {
  const { reachSite } = await import("../app/site/reach-site.ts");
  const { noteUnseen } = await import("./print/unseen.ts");
  const actor = currentActor(context.env);
  const onEvent = (event: UpEvent): void => noteWarning(context, event);
  const asked = { site: { ...site, namespace }, access, actor, onEvent, patienceMs };
  const reached = await reachSite(asked, context.env);
  noteUnseen(reached.unseen, context.terminal);
  return { api: reached.client, runs: "here", [Symbol.asyncDispose]: () => reached[Symbol.asyncDispose]() };
}

/** Progress is told by the command itself. */
function noteWarning({ terminal }: CommandContext, event: UpEvent): void {
  if (event.kind === "warning") terminal.note(`${terminal.noteInk.yellow("warning")}  ${event.message}`);
  if (event.kind === "notice") terminal.note(event.line);
}

import type { ApiClient } from "../../api/client.ts";
import type { MoveProgress, MoveResult } from "../../api/types.ts";
import type { MoveRequest } from "../../core/release/move/move.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { reachMesh } from "../reach-mesh.ts";
import type { MoveRefusal } from "../print/move.ts";
import { currentActor, type MoveOptions } from "./move-options.ts";

export interface MoveCall {
  readonly verb: MoveRequest["verb"];
  readonly name: string;
  readonly to: MoveRequest["to"];
  readonly options: MoveOptions;
}

/**
 * Asks the running `up` for a move and shows it while it happens. Ctrl-C only stops watching: the move belongs to `up`
 * and runs on, because half a move is what nobody wants. Where no `up` runs for a cluster, the move is in this process,
 * which stays until it has ended.
 */
export async function runMove(context: CommandContext, call: MoveCall): Promise<void> {
  const { options } = call;
  const request: MoveRequest = {
    verb: call.verb,
    ...parseName(call.name, options.namespace),
    route: options.route,
    to: call.to,
    actor: currentActor(context.env),
    reason: options.reason,
  };
  const access = options.dryRun === true ? "read" : "write";
  await using mesh = await reachMesh(context, { access, namespace: request.namespace });
  const { api } = mesh;
  const print = await import("../print/move.ts");
  if (options.dryRun === true) {
    const plan = await api.plan(request);
    const data = { dryRun: true, ...plan };
    return printAnswer(context, { exitStatus: 0, data, text: (ink) => print.renderPlan(plan, ink) }, options);
  }
  const detach = new AbortController();
  using stopListening = context.onStop((signal) => {
    if (mesh.runs === "elsewhere") detach.abort();
    else context.terminal.note(print.renderStaying(signal, context.terminal.noteInk));
  });
  const show = (progress: MoveProgress): void => {
    if (options.json === true) return;
    const text = print.renderProgress(progress, context.terminal.ink);
    if (text !== "") context.terminal.answer(text);
    const note = print.renderProgressNote(progress, context.terminal.noteInk);
    if (note !== "") context.terminal.note(note);
  };
  try {
    const result = await api.move(request, show, detach.signal);
    const exitStatus = result.ok ? 0 : 1;
    const refusal = await explainRefusal(api, result);
    const data = { ...print.orderResult(result), ...(refusal === undefined ? {} : { error: refusal }) };
    const { route } = options;
    const end = { refusal, route, contexts: (context.sites?.() ?? []).map((site) => site.context) };
    printAnswer(context, { exitStatus, data, text: (ink) => print.renderEnd(result, ink, end) }, options);
  } catch (error) {
    if (!detach.signal.aborted) throw error;
    context.terminal.note(print.renderDetached(request.name, context.terminal.noteInk));
    context.finish(130);
  }
}

/**
 * Why preflight refused: the code of the check that failed, where it has one; else that of a version that cannot take
 * traffic, and which versions could.
 */
async function explainRefusal(api: ApiClient, result: MoveResult): Promise<MoveRefusal | undefined> {
  if (result.outcome !== "refused" || result.preflight?.ok !== false) return undefined;
  const failed = result.preflight.checks.find(({ verdict }) => verdict === "fail");
  const code = /^KIR\d{4}(?= )/u.exec(failed?.detail ?? "")?.[0];
  if (code !== undefined) return { code, message: failed?.detail.slice(code.length + 1) ?? "" };
  const { services } = await api.status();
  const service = services.find(({ virtualService }) => virtualService === result.plan.virtualService);
  const ready = Object.fromEntries((service?.versions ?? []).map(({ name, readyEndpoints }) => [name, readyEndpoints]));
  return { code: "KIR2010", message: result.message ?? "Preflight failed.", details: { ready } };
}

/** `namespace/name` says both at once; `-n` wins over nothing else. */
function parseName(name: string, namespace: string | undefined): Pick<MoveRequest, "name" | "namespace"> {
  const [first, second, ...rest] = name.split("/");
  if (namespace === undefined && first !== undefined && second !== undefined && rest.length === 0) {
    return { namespace: first, name: second };
  }
  return { name, namespace };
}

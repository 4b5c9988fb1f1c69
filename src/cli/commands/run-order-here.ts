import { constants } from "node:os";
import type { ReleaseStatus } from "../../api/types.ts";
import type { SiteOptions } from "../../app/site/connection/site-options.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { isMoving } from "../../core/release/state/release-phase.ts";
import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import { type CommandContext, printAnswer } from "../command.ts";
import { connect } from "../connect.ts";
import { tellOfFailed, tellOfIdle, tellOfLeft, tellOfWaiting } from "../print/left-release.ts";
import { ReleaseChanges } from "../print/release-changes.ts";
import { renderRelease } from "../print/release.ts";
import { meshEnvironment } from "../reach-mesh.ts";
import { followRelease, noteEvent } from "./follow-release.ts";
import { goesOnAlone, isAsAsked, isAtRest, type OrderPlan, planOrder, waitsForPerson } from "./plan-order.ts";
import type { OrderOptions } from "./release-orders.ts";

export interface OrderHere {
  readonly sites: readonly SiteOptions[];
  /** As its journal has it. */
  readonly left: ReleaseStatus;
  readonly command: ReleaseCommand;
  readonly person: { readonly actor: string; readonly reason: string | undefined };
  readonly options: OrderOptions;
}

/**
 * Tells a release something that no `up` carries out, and carries out here what follows: until the release has ended, has
 * failed or waits for a person. Other releases stay where they are. Exit status 0 where it came to what was asked for, 1
 * where it came to anything else, and that of the signal where one was sent.
 */
export async function runOrderHere(context: CommandContext, order: OrderHere): Promise<void> {
  const { sites, left, command, options } = order;
  const { release } = left;
  const stop = new AbortController();
  using stopListening = context.onStop((signal) => {
    context.terminal.note(`${signal}: the step under way goes to its end, and no other begins.`);
    context.finish(128 + constants.signals[signal]);
    stop.abort();
  });
  const plan = planOrder(command, left);
  await using started = await startWith(context, order, plan);
  const api = await connect(meshEnvironment(context));
  const changes = new ReleaseChanges();
  const follow = (isEnd: (status: ReleaseStatus) => boolean): Promise<ReleaseStatus | undefined> =>
    followRelease(context, { api, release, signal: stop.signal, isEnd, changes });
  let { told } = started;
  if (plan.kind === "afterStep") {
    context.terminal.note(`${release} was left in a step, which ends first.`);
    const rests = await follow(({ phase }) => !isMoving({ kind: phase }));
    if (rests !== undefined) told = await api.orderRelease(release, { command, ...order.person });
  }
  const ended = await follow(isAtRest);
  if (ended === undefined) return context.terminal.note(tellOfLeft(release, sites));
  const exitStatus = isAsAsked(command, { told, ended }) ? 0 : 1;
  printAnswer(context, { exitStatus, data: ended, text: (ink) => renderRelease(ended, ink) }, options);
  if (ended.phase === "failed") context.terminal.note(tellOfFailed(release, sites));
  if (waitsForPerson(ended)) context.terminal.note(tellOfWaiting(release, sites));
}

interface Started extends AsyncDisposable {
  readonly told: ReleaseStatus;
}

/** Takes the release up, and no other. Throws KIR2034 where it cannot be told that now, and KIR2022 while another moves. */
async function startWith(context: CommandContext, order: OrderHere, plan: OrderPlan): Promise<Started> {
  const { sites, left, command, person } = order;
  const [site, ...others] = sites;
  if (site === undefined) throw new Error("Without a cluster something has to run.");
  const { upSite } = await import("../../app/site/up-site.ts");
  const { release } = left;
  let told = left;
  const onTold = (status: ReleaseStatus): void => {
    told = status;
  };
  const first = commandNow(command, plan);
  const starting = upSite(
    {
      sites: [site, ...others],
      actor: person.actor,
      allowsCommands: false,
      folder: process.cwd(),
      first: { release, order: first === undefined ? undefined : { command: first, ...person }, onTold },
      onEvent: (event) => noteEvent(context, event),
    },
    context.env,
  );
  const running = await starting.catch((error: unknown) => {
    throw error instanceof KirikaeError && error.code === "KIR2034" && goesOnAlone(left)
      ? sayHowItGoesOn(error, order)
      : error;
  });
  return { told, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** Nobody carries it out: what it does now ends when somebody does, and not by waiting for it. */
function sayHowItGoesOn(error: KirikaeError, { left, sites }: OrderHere): KirikaeError {
  const hint = tellOfIdle(left.release, sites);
  return new KirikaeError(error.code, error.message, { exitStatus: error.exitStatus, hint, cause: error });
}

/** What it is told before anything of it goes on. */
function commandNow(command: ReleaseCommand, plan: OrderPlan): ReleaseCommand | undefined {
  switch (plan.kind) {
    case "atOnce":
      return command;
    case "goOn":
      return undefined;
    case "afterStep":
      return plan.pauses ? { kind: "pause" } : undefined;
  }
}

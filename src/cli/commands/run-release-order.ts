import type { ApiClient } from "../../api/client.ts";
import type { ClusterRelease, ReleaseStatus } from "../../api/types.ts";
import type { ReleaseName } from "../../core/release/describe/find-release.ts";
import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { findRunning, meshEnvironment } from "../reach-mesh.ts";
import type { Ink } from "../ink.ts";
import { renderClusterRelease } from "../print/cluster-release.ts";
import { renderRelease } from "../print/release.ts";
import { currentActor } from "./move-options.ts";
import type { OrderOptions } from "./release-orders.ts";

interface Order {
  readonly name: string;
  readonly command: ReleaseCommand;
}

/**
 * Tells a release what to do: the running `up`, or the foreground of another terminal, which carries it out; where none
 * runs for a cluster, it is carried out here; and the controller of the cluster for a Release that was not begun from this
 * machine. Shows it as it is then. Exit status 1 where it was to go on and has failed at once.
 */
export async function runReleaseOrder(context: CommandContext, order: Order, options: OrderOptions): Promise<void> {
  const { isSucceeded, orFromCluster } = await import("../cluster-releases.ts");
  const sites = context.sites?.() ?? [];
  const api = await findRunning(meshEnvironment(context), sites.length === 0 ? "needed" : "wanted");
  const name = { name: order.name, namespace: options.namespace };
  const found = await orFromCluster<Found>(async () => ({ kind: "own", own: await findOwn(context, api, name) }), {
    unknown: ["KIR2035"],
    isPast: async (meant) => meant.kind === "own" && (await isSucceeded(context, meant.own)),
    ask: async () => {
      const told = await orderInCluster(context, order, options);
      return told === undefined ? undefined : { kind: "told", told };
    },
  });
  if (found.kind === "told") return showTold(context, found.told, { order, options });
  const person = personOf(context, options);
  const { command } = order;
  if (api !== undefined) {
    const told = await api.orderRelease(found.own.release, { command, ...person });
    return showTold(context, told, { order, options });
  }
  const { runOrderHere } = await import("./run-order-here.ts");
  await runOrderHere(context, { sites, left: found.own, command, person, options });
}

function showTold(
  context: CommandContext,
  status: ReleaseStatus | ClusterRelease,
  { order, options }: { readonly order: Order; readonly options: OrderOptions },
): void {
  const exitStatus = status.phase === "failed" && order.command.kind !== "reject" ? 1 : 0;
  const text = (ink: Ink): string =>
    "runBy" in status ? renderClusterRelease(status, ink) : renderRelease(status, ink);
  printAnswer(context, { exitStatus, data: status, text }, options);
}

type Found =
  /** It was begun from this machine. */
  | { readonly kind: "own"; readonly own: ReleaseStatus }
  /** The controller of a cluster has been told. */
  | { readonly kind: "told"; readonly told: ClusterRelease };

/** Of those that were begun from this machine, from who carries it out, or else as it was left. Throws KIR2035 and KIR2036. */
async function findOwn(
  context: CommandContext,
  api: ApiClient | undefined,
  { name, namespace }: ReleaseName,
): Promise<ReleaseStatus> {
  if (api !== undefined) return await api.release(name, { namespace, live: false });
  const { readLeft } = await import("../reach-releases.ts");
  return await (await readLeft(context)).release(name, { namespace });
}

/** Undefined where no cluster that was named has such a Release; its controller takes the order. */
async function orderInCluster(
  context: CommandContext,
  { name, command }: Order,
  options: OrderOptions,
): Promise<ClusterRelease | undefined> {
  const { namespace } = options;
  const { findClusterRelease, lookAtEach } = await import("../cluster-releases.ts");
  const ordered = (
    await lookAtEach(context, { namespace }, async (cluster) => {
      const found = await cluster.find({ name, namespace });
      if (found === undefined) return undefined;
      await cluster.order(found.summary.release, { command, ...personOf(context, options) });
      return found.summary;
    })
  ).find((each) => each !== undefined);
  if (ordered === undefined) return undefined;
  return (await findClusterRelease(context, { name: ordered.release }))?.summary ?? ordered;
}

interface Person {
  readonly actor: string;
  readonly reason: string | undefined;
}

function personOf({ env }: CommandContext, { as: person, reason }: OrderOptions): Person {
  return { actor: person ?? currentActor(env), reason };
}

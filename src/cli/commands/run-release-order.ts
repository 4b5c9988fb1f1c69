import type { ReleaseStatus } from "../../api/types.ts";
import type { ClusterRelease } from "../../app/site/releases/cluster-release.ts";
import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { meshEnvironment } from "../reach-mesh.ts";
import type { Ink } from "../ink.ts";
import { renderClusterRelease } from "../print/cluster-release.ts";
import { renderRelease } from "../print/release.ts";
import { currentActor } from "./move-options.ts";
import type { OrderOptions } from "./release-orders.ts";

interface Order {
  readonly name: string;
  readonly command: ReleaseCommand;
}

/** Tells a release what to do, and shows it as it is then. Exit status 1 where it was to go on and has failed at once. */
export async function runReleaseOrder(context: CommandContext, order: Order, options: OrderOptions): Promise<void> {
  const { orFromCluster } = await import("../cluster-releases.ts");
  const status = await orFromCluster<ReleaseStatus | ClusterRelease>(() => orderRunning(context, order, options), {
    unknown: ["KIR5050", "KIR5059", "KIR2035"],
    ask: () => orderInCluster(context, order, options),
  });
  const exitStatus = status.phase === "failed" && order.command.kind !== "reject" ? 1 : 0;
  const text = (ink: Ink): string =>
    "runBy" in status ? renderClusterRelease(status, ink) : renderRelease(status, ink);
  printAnswer(context, { exitStatus, data: status, text }, options);
}

async function orderRunning(context: CommandContext, order: Order, options: OrderOptions): Promise<ReleaseStatus> {
  const { connect } = await import("../connect.ts");
  const api = await connect(meshEnvironment(context));
  const { release } = await api.release(order.name, { namespace: options.namespace, live: false });
  return await api.orderRelease(release, { command: order.command, ...personOf(context, options) });
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

function personOf(
  { env }: CommandContext,
  { as: person, reason }: OrderOptions,
): { readonly actor: string; readonly reason: string | undefined } {
  return { actor: person ?? currentActor(env), reason };
}

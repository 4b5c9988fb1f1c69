import type { ReleaseCommand } from "../../core/release/state/release-state.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { meshEnvironment } from "../reach-mesh.ts";
import { renderRelease } from "../print/release.ts";
import { currentActor } from "./move-options.ts";
import type { OrderOptions } from "./release-orders.ts";

interface Order {
  readonly name: string;
  readonly command: ReleaseCommand;
}

/** Tells a release what to do, and shows it as it is then. Exit status 1 where it was to go on and has failed at once. */
export async function runReleaseOrder(context: CommandContext, order: Order, options: OrderOptions): Promise<void> {
  const { connect } = await import("../connect.ts");
  const api = await connect(meshEnvironment(context));
  const { release } = await api.release(order.name, { namespace: options.namespace, live: false });
  const actor = options.as ?? currentActor(context.env);
  const status = await api.orderRelease(release, { command: order.command, actor, reason: options.reason });
  const exitStatus = status.phase === "failed" && order.command.kind !== "reject" ? 1 : 0;
  printAnswer(context, { exitStatus, data: status, text: (ink) => renderRelease(status, ink) }, options);
}

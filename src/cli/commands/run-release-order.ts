import type { ApiClient } from "../../api/client.ts";
import type { ReleaseStatus } from "../../api/types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { ReleaseCommand } from "../../core/release/release-state.ts";
import { renderList } from "../../core/release/refusals.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { renderRelease } from "../print/release.ts";
import { currentActor } from "./move-options.ts";
import type { OrderOptions } from "./release-orders.ts";

interface Order {
  readonly name: string;
  readonly command: ReleaseCommand;
}

/** Tells a release what to do, and shows it as it is then. */
export async function runReleaseOrder(context: CommandContext, order: Order, options: OrderOptions): Promise<void> {
  const { connect } = await import("../connect.ts");
  const api = await connect(context.env);
  const { release } = await findRelease(api, order.name, options.namespace);
  const actor = currentActor(context.env);
  const status = await api.orderRelease(release, { command: order.command, actor, reason: options.reason });
  printAnswer(context, { exitStatus: 0, data: status, text: (ink) => renderRelease(status, ink) }, options);
}

/** The newest release of that name. Throws KIR2035 with the list of those that were started. */
export async function findRelease(api: ApiClient, name: string, namespace: string | undefined): Promise<ReleaseStatus> {
  const releases = await api.releases();
  const found = releases.findLast(({ release }) => {
    const [ownNamespace, ownName] = release.split("/");
    return (release === name || ownName === name) && (namespace === undefined || namespace === ownNamespace);
  });
  if (found !== undefined) return found;
  const known = [...new Set(releases.map(({ release }) => release))];
  throw new KirikaeError("KIR2035", `No release named ${name} was started.`, {
    exitStatus: 2,
    hint: `There are ${renderList(known)}.`,
    details: { known },
  });
}

import { printAnswer, type CommandContext } from "../command.ts";
import { listRoutes } from "../list-routes.ts";
import { loadChosen } from "../load-live.ts";
import { noteErrors } from "../load-mesh.ts";
import { renderRoutes } from "../print/routes.ts";
import { noteUnreadRoutes } from "../print/unread-routes.ts";
import type { RoutesOptions } from "./routes.ts";

/** Prints the route table that the manifests make; with errors in them the answer is no, as far as it goes. */
export async function runRoutes(
  context: CommandContext,
  paths: readonly string[],
  options: RoutesOptions,
): Promise<void> {
  const loaded = await loadChosen(context, paths, options);
  const listing = listRoutes(loaded.table, options);
  noteUnreadRoutes(loaded.mesh, options.host, context.terminal);
  const exitStatus = noteErrors(loaded, context.terminal) === 0 ? 0 : 1;
  printAnswer(context, { exitStatus, data: listing, text: (ink) => renderRoutes(listing, ink) }, options);
}

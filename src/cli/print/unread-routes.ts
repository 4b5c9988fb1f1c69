import { isIP } from "node:net";
import { describeUnread, findUnreadFor, findUnreadRoutes } from "../../core/mesh/unread-routes.ts";
import type { Mesh } from "../../core/mesh/mesh.ts";
import { neutraliseLine } from "../neutralise.ts";
import type { Terminal } from "../terminal.ts";

/** More would push the answer itself out of the terminal. */
const mostNamed = 3;

/**
 * Says on stderr which routes of the Kubernetes Gateway API may take requests, because what they do is in no answer.
 * @param host only those that may be for it
 */
export function noteUnreadRoutes(
  mesh: Pick<Mesh, "manifests">,
  host: string | undefined,
  terminal: Pick<Terminal, "note" | "noteInk">,
): void {
  const all = findUnreadRoutes(mesh);
  const found = host === undefined || isIP(host) !== 0 ? all : findUnreadFor(all, host.toLowerCase());
  if (found.length === 0) return;
  const named = found.slice(0, mostNamed).map(describeUnread).join(", ");
  const more = found.length > mostNamed ? ` and ${found.length - mostNamed} more` : "";
  terminal.note(
    neutraliseLine(`${terminal.noteInk.yellow("not read")}  ${named}${more} of the Kubernetes Gateway API`),
  );
}

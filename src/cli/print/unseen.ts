import type { Unseen } from "../../app/site/objects/site-objects.ts";
import type { Terminal } from "../terminal.ts";
import { neutraliseLine } from "../neutralise.ts";

/** Says on stderr what could not be seen of a cluster: every answer is only as good as what was. */
export function noteUnseen(unseen: readonly Unseen[], terminal: Pick<Terminal, "note" | "noteInk">): void {
  for (const line of describeUnseen(unseen)) {
    terminal.note(neutraliseLine(`${terminal.noteInk.yellow("not seen")}  ${line}`));
  }
}

/** More would hide what matters. */
const mostListed = 4;

function listSome(names: readonly string[]): string {
  if (names.length <= mostListed) return names.join(", ");
  return `${names.slice(0, mostListed - 1).join(", ")} and ${names.length - mostListed + 1} other kinds`;
}

/** One line for each place: what is missing there. Kinds that were read in single namespaces are told once, together. */
function describeUnseen(unseen: readonly Unseen[]): readonly string[] {
  const places = new Map<string | undefined, string[]>();
  for (const { kind, namespace } of unseen) places.set(namespace, [...(places.get(namespace) ?? []), kind.plural]);
  return [...places].map(([namespace, kinds]) => {
    const what = listSome([...new Set(kinds)]);
    return namespace === undefined ? `${what} of other namespaces` : `${what} in ${namespace}`;
  });
}

import type { ReleaseNotice } from "../core/release/describe/find-notices.ts";
import type { Channel } from "./channel.ts";

/** One plain line for each notice. */
export function createLogChannel(print: (line: string) => void): Channel {
  return {
    send: (notice) => print(renderNotice(notice)),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** `shop/to-green waiting: waits for 2 of 2 approvals (by ann: looks good)`. */
function renderNotice({ release, event, message, actor, reason }: ReleaseNotice): string {
  const who = actor === null ? "" : ` (by ${actor}${reason === null ? "" : `: ${reason}`})`;
  return `${release} ${event}: ${message}${who}`;
}

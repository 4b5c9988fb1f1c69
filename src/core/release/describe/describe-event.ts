import { renderShortage } from "../move/limit-return.ts";
import { renderSetShares } from "../state/render-shares.ts";
import { describeEdits } from "../subset/subset-edit.ts";
import type { ReleaseCommand, ReleaseEvent } from "../state/release-state.ts";

const commandWords: Readonly<Record<ReleaseCommand["kind"], string>> = {
  promote: "promoted",
  pause: "paused",
  resume: "resumed",
  approve: "approved",
  reject: "rejected",
  retry: "tried again",
  abort: "ended",
  rollback: "rolled back",
  set: "weights set by hand",
};

/** What happened to a release, in a few words: who did it and why, where somebody did. */
export function describeEvent(event: ReleaseEvent): string {
  if ("actor" in event) {
    const done = event.kind === "rollback" && event.undoes === true ? "brought back" : commandWords[event.kind];
    return `${done} by ${renderPerson(event)}${renderManner(event)}${event.reason === null ? "" : `: ${event.reason}`}`;
  }
  switch (event.kind) {
    case "start":
      return "begun";
    case "moved":
      return describeMoved(event);
    case "turned":
      return event.subsets === undefined ? "weights go back" : describeEdits(event.subsets);
    case "partlyBack":
      return `partly back: ${event.waits.map(renderShortage).join("; ")}`;
    case "moveFailed":
      return `weights not moved: ${event.reason}`;
    case "timeUp":
      return "its time was over";
    case "overdue":
      return "it took longer than it may";
    case "overruled":
      return `overruled: ${event.reason}`;
    case "judged":
      return `check ${event.verdict}: ${event.detail}`;
  }
}

/** What a command was given besides its name. */
function renderManner(command: ReleaseCommand): string {
  switch (command.kind) {
    case "promote":
      return command.despiteFreeze === true ? " despite a freeze" : "";
    case "rollback":
      return `${command.now === true ? ", at once" : ""}${command.despiteChanges === true ? ", over what others have changed" : ""}`;
    case "set":
      return `, ${renderSetShares(command.shares)}`;
    case "pause":
    case "resume":
    case "approve":
    case "reject":
    case "retry":
    case "abort":
      return "";
  }
}

/** The name that somebody gave, with the account where that is another one. */
function renderPerson({ actor, account }: { readonly actor: string; readonly account?: string }): string {
  return account === undefined || account === actor ? actor : `${actor} (account ${account})`;
}

function describeMoved(event: Extract<ReleaseEvent, { readonly kind: "moved" }>): string {
  const { failed, note } = event;
  const lost = failed === 0 ? [] : [`${failed} requests failed`];
  return [describeDone(event), ...lost, ...(note === undefined ? [] : [note])].join(", ");
}

/** What is laid over routes is no move, and a way back may have found nothing to move; "done" would be the whole release. */
function describeDone({ move }: Extract<ReleaseEvent, { readonly kind: "moved" }>): string {
  return move === undefined ? "carried out" : "weights moved and proved";
}

import type { UpEvent } from "../app-types.ts";
import type { AskJudge } from "../engine/ports.ts";
import type { CheckSources } from "../engine/release-check.ts";
import { type NotifierOptions, ReleaseNotifier } from "../notify/release-notifier.ts";
import { CheckLooks, type CheckLookParts } from "./check-looks.ts";
import type { CounterLooks } from "./counter-looks.ts";
import { findAccount } from "./find-account.ts";
import type { LiveParts } from "./live-releases.ts";
import type { LiveView } from "./live-view.ts";
import type { MoveTurns } from "./move-turns.ts";
import type { ReleaseParts } from "./releases.ts";
import { warnOfDefect } from "./warn-of-defect.ts";

/** Who is asked about versions beside the proxies. */
export interface Judging {
  readonly ask: AskJudge;
  /** Whether releases may run programs. */
  readonly allowsCommands: boolean;
  /** Reads a secret that a Release names. */
  readonly readSecret: NotifierOptions["readSecret"];
  /** Says which addresses judges and webhooks may have; absent is all. */
  readonly addresses?: NotifierOptions["addresses"];
}

export interface WiringParts {
  readonly mesh: ReleaseParts["mesh"];
  readonly target: Pick<LiveParts, "observe" | "latencies"> & { readonly figures: CheckLookParts["read"] };
  readonly turns: MoveTurns;
  readonly view: LiveView;
  readonly looks: CounterLooks;
  readonly judging: Judging;
  readonly onEvent: (event: UpEvent) => void;
}

/** What releases take of the mesh that they are in, wherever its routes come from. */
export type WiredReleases = Pick<
  ReleaseParts,
  "mesh" | "move" | "allowsCommands" | "account" | "notifier" | "look" | "live" | "onChange" | "onDefect"
> & { readonly sources: Pick<CheckSources, "counters" | "ask"> };

/** Ties releases to the turns of moves, to what proxies count, and to who is told of them. */
export function wireReleases({ mesh, target, turns, view, looks, judging, onEvent }: WiringParts): WiredReleases {
  const { ask, allowsCommands, readSecret, addresses } = judging;
  const checkLooks = new CheckLooks({
    read: (destinations) => target.figures(destinations),
    table: () => mesh.current.table,
  });
  return {
    mesh,
    move: (build, onWait) => turns.moveForRelease(build, onWait),
    sources: { counters: (destinations) => checkLooks.look(destinations), ask },
    allowsCommands,
    account: findAccount(),
    notifier: new ReleaseNotifier({
      print: (line) => onEvent({ kind: "notice", line }),
      warn: (message) => onEvent({ kind: "warning", message }),
      readSecret,
      addresses,
    }),
    look: () => looks.lookSoon(),
    live: {
      observe: (splits) => target.observe(splits),
      latencies: () => target.latencies(),
      lastSample: () => view.samples.at(-1),
    },
    onChange: (release) => view.showRelease(release),
    onDefect: warnOfDefect(onEvent, "a release"),
  };
}

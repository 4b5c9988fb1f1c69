import type { ProofRules } from "../../manifest/release.ts";
import type { SplitId, SplitWeights } from "../../routes/route-table.ts";

/** A subset's name, or a destination's host where versions are hosts. */
export type VersionName = string;

type MoveVerb = "switch" | "shift" | "rollback";

/** What the user asked for. `to` is empty for a rollback, which takes its weights from the journal. */
export interface MoveRequest {
  readonly verb: MoveVerb;
  /** A VirtualService or a service, by name. */
  readonly name: string;
  readonly namespace: string | undefined;
  /** A rule's name or number, where more than one could be meant. */
  readonly route: string | undefined;
  /** Of the VirtualService's rules, those alone that this delegate has written, given as `namespace/name`. */
  readonly delegate?: string | undefined;
  /** One version at 100 for a switch; for a shift, the versions named, the live one taking the rest. */
  readonly to: Readonly<Record<VersionName, number>>;
  readonly actor: string;
  readonly reason: string | undefined;
}

/** The fixed steps of one move: every weight before and after, so that undoing it needs nothing else. */
export interface MovePlan {
  readonly verb: MoveVerb;
  /** `namespace/name`. */
  readonly virtualService: string;
  /** The version that gives most and the one that gains most; after a shift neither need have everything. */
  readonly from: VersionName;
  readonly to: VersionName;
  readonly changes: readonly SplitChange[];
  /** Rules of the VirtualService that this move does not touch, with the reason. */
  readonly stays: readonly UntouchedRule[];
  /** Versions behind the changed rules, each with its destinations: the ledger counts by these. */
  readonly versions: readonly PlannedVersion[];
  readonly actor: string;
  readonly reason: string | undefined;
  /** Which endpoints of the versions that gain have to answer before it; absent is every one. */
  readonly asks?: "any" | "none";
  /** When it is proved; absent as the engine says. */
  readonly proof?: ProofRules;
  /** Field managers whose weights may be taken over on a site. */
  readonly takeOver?: readonly string[];
}

export interface SplitChange {
  readonly split: SplitId;
  /** `namespace/name`, where a plan moves several VirtualServices together; absent is the plan's. */
  readonly virtualService?: string;
  readonly rule: number;
  readonly ruleName: string | undefined;
  /** `public` takes anybody; `preview` is reached only by header, query or host. */
  readonly role: "public" | "preview";
  /** The weights that the manifest declares, to notice an edit. */
  readonly declared: SplitWeights;
  readonly before: SplitWeights;
  readonly after: SplitWeights;
}

export interface UntouchedRule {
  /** As in `SplitChange`. */
  readonly virtualService?: string;
  readonly rule: number;
  readonly ruleName: string | undefined;
  readonly reason: string;
}

/** Whether it brings back what was there before: nothing but the version that is to be left may keep that from happening. */
export function isWayBack({ verb, asks }: Pick<MovePlan, "verb" | "asks">): boolean {
  return verb === "rollback" || asks !== undefined;
}

/** Every VirtualService that a plan moves: its own first. */
export function movedServices({
  virtualService,
  changes,
}: Pick<MovePlan, "virtualService" | "changes">): readonly string[] {
  return [...new Set([virtualService, ...changes.map((change) => change.virtualService ?? virtualService)])];
}

export interface PlannedVersion {
  readonly name: VersionName;
  readonly destinations: readonly string[];
}

/** Requests during a step: `requests` is `ok + failed`, and the sum over `byVersion`. */
export interface Ledger {
  readonly requests: number;
  readonly ok: number;
  readonly failed: number;
  /** Requests by version; `other` holds those that reached no version of the plan. */
  readonly byVersion: Readonly<Record<VersionName, number>>;
  /** Of these, the failed ones; absent in what was written down before they were told apart. */
  readonly failedByVersion?: Readonly<Record<VersionName, number>>;
  /** From the call to the end of the last answer of the old version; null when it gave none after the call, or keeps a share. */
  readonly lastOldMs: number | null;
  /** Requests that began after "done" and were answered by the old version against the plan. Must be 0. */
  readonly oldAfterDone: number;
  /** Clients that went away before their answer; not counted in `requests`. */
  readonly clientGone: number;
  /** Failed requests in a few words each, the first ten. */
  readonly failures: readonly string[];
  /** False when the proxy said that it dropped records; then nothing above is a proof. */
  readonly isComplete: boolean;
}

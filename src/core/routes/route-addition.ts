import type { Destination, DestinationId, SplitId, ValueMatch } from "./route-table.ts";

/** What a release lays over the rules of the manifests while it is under way. Weights are no addition. */
export type RouteAddition = PreviewAddition | MirrorAddition | AffinityAddition;

/** Requests with one of these marks go to another place than the weights say. */
export interface PreviewAddition {
  readonly kind: "preview";
  /** Tells several of one release apart. */
  readonly name: string;
  /** Where they go, by the split of the rule that would take them. */
  readonly to: Readonly<Record<SplitId, DestinationId>>;
  /** OR-ed. */
  readonly marks: readonly RequestMark[];
}

/** All together; at least one. */
export interface RequestMark {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, ValueMatch>>;
  readonly cookies: Readonly<Record<string, ValueMatch>>;
  readonly query: Readonly<Record<string, ValueMatch>>;
}

/** Copies of requests go to another place; no client waits for what it answers. */
export interface MirrorAddition {
  readonly kind: "mirror";
  readonly to: Readonly<Record<SplitId, DestinationId>>;
  /** Above 0. */
  readonly percent: number;
  /** Upper case; at least one. */
  readonly methods: readonly string[];
  /** Where copies go first, to be compared; filled in when the addition is laid, and never written down. */
  readonly through?: ComparedCopies | undefined;
}

/** Copies go to kirikae, which asks both versions and compares what they answer. */
interface ComparedCopies {
  /** A destination that no manifest knows. */
  readonly comparer: Destination;
  /** Which version the new one is compared with, by split. */
  readonly live: Readonly<Record<SplitId, DestinationId>>;
}

/** A visitor who has the cookie is sent by it to the same arm as long as the weights let it; others are given one. */
export interface AffinityAddition {
  readonly kind: "affinity";
  readonly splits: readonly SplitId[];
  readonly cookie: string;
  readonly maxAgeMs: number;
}

/** `namespace/name` of the release with each addition, in the order in which they are laid on. */
export interface OwnedAddition {
  readonly release: string;
  readonly addition: RouteAddition;
}

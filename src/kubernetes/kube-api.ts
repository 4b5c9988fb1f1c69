import type { Duplex } from "node:stream";
import type { KubeKind, KubeObject, ObjectName } from "./kube-object.ts";
import type { PodPlace, ReachOptions } from "./pod-reach.ts";

/**
 * One API server, spoken to with one person's or service account's rights. Every method rejects with a `KubeError`,
 * which says in words what was refused; a request that never had an answer says so with `isUnreachable`.
 */
export interface KubeApi extends AsyncDisposable {
  /** The context of the kubeconfig, or `in-cluster`. */
  readonly context: string;
  /** The namespace of names that name none. */
  readonly defaultNamespace: string;
  /** Undefined where there is none of that name. */
  get(kind: KubeKind, name: ObjectName, options?: ReachOptions): Promise<KubeObject | undefined>;
  /** All pages of a list, which are one moment of the cluster. */
  list(kind: KubeKind, options?: ListOptions): Promise<KubeList>;
  create(kind: KubeKind, object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Puts this object in the place of the one with its resourceVersion; KIR4007 where somebody wrote in between. */
  replace(kind: KubeKind, object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  /** Server-side apply. With a resourceVersion in it, KIR4007 where somebody wrote in between; KIR4006 for a foreign field. */
  apply(kind: KubeKind, object: KubeObject, options: ApplyOptions): Promise<KubeObject>;
  /** JSON merge patch (RFC 7396). */
  mergePatch(kind: KubeKind, name: ObjectName, options: WriteOptions & { readonly patch: object }): Promise<KubeObject>;
  /** True where there was something to delete. */
  delete(kind: KubeKind, name: ObjectName): Promise<boolean>;
  /** Whether the one who asks may do this (SelfSubjectAccessReview). */
  canI(access: Access): Promise<boolean>;
  /** Whether the API serves the kind. */
  serves(kind: KubeKind): Promise<boolean>;
  /** What happens from a resourceVersion on; ends when the server ends it, rejects with `isExpired` for 410 Gone. */
  watch(kind: KubeKind, options: WatchOptions): AsyncIterable<WatchEvent>;
  /** GET of any path of the API server, as text. */
  getText(path: string, options?: ReachOptions): Promise<string>;
  /** One connection to a port of a pod, by port-forward. Whoever asked for it destroys it. */
  openPort(place: PodPlace, options?: ReachOptions): Promise<Duplex>;
}

export interface ListOptions extends ReachOptions {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface KubeList {
  /** To watch from. */
  readonly resourceVersion: string;
  readonly items: readonly KubeObject[];
}

export interface WriteOptions extends ReachOptions {
  readonly fieldManager?: string;
  readonly subresource?: "status" | "scale";
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string;
  /** Takes fields that others own. */
  readonly force: boolean;
  readonly dryRun?: true;
}

export interface WatchOptions extends ListOptions {
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
  /** Called when the server has begun to answer, which may be long before the first event. */
  readonly onOpen?: () => void;
}

export type WatchEvent =
  | { readonly kind: "added" | "modified" | "deleted"; readonly object: KubeObject }
  | { readonly kind: "bookmark"; readonly resourceVersion: string };

/** One right, as RBAC names it. */
export interface Access {
  readonly verb: string;
  readonly group: string;
  /** `virtualservices`, or `pods/portforward`. */
  readonly resource: string;
  /** Undefined asks for all of them. */
  readonly namespace?: string | undefined;
  /** Of the one object; without it all objects are asked about, which a right for one object does not cover. */
  readonly name?: string | undefined;
}

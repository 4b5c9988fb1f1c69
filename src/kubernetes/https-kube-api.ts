import type { Duplex } from "node:stream";
import type {
  Access,
  ApplyOptions,
  KubeApi,
  KubeList,
  ListOptions,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from "./kube-api.ts";
import type { KubeAnswer, KubeConnection, KubeRequest } from "./kube-connection.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeKind, KubeObject, ObjectName } from "./kube-object.ts";
import { groupPath, pathOfKind, pathOfObject, selectors, withQuery } from "./kube-paths.ts";
import { openPort } from "./port-forward.ts";
import type { PodPlace, ReachOptions } from "./pod-reach.ts";
import { type Attempt, isMissingObject, readRefusal } from "./refusal.ts";
import { watchKind } from "./watch-kind.ts";

const pageSize = 500;

/** A list of many pages takes longer than any other request. */
const listTimeoutMs = 60_000;

/** How often a list is begun again whose later pages are no longer known. */
const mostListings = 3;

export interface HttpsKubeApiOptions {
  readonly connection: KubeConnection;
  readonly defaultNamespace: string;
}

/** `KubeApi` over node:https. */
export class HttpsKubeApi implements KubeApi {
  readonly defaultNamespace: string;
  readonly #connection: KubeConnection;
  readonly #served = new Set<string>();

  constructor({ connection, defaultNamespace }: HttpsKubeApiOptions) {
    this.#connection = connection;
    this.defaultNamespace = defaultNamespace;
  }

  get context(): string {
    return this.#connection.context;
  }

  async get(kind: KubeKind, name: ObjectName, options: ReachOptions = {}): Promise<KubeObject | undefined> {
    const full = this.#nameOf(kind, name);
    const attempt = this.#attempt("get", kind, { name: full });
    const answer = await this.#connection.send({ method: "GET", path: attempt.path, ...limitsOf(options) });
    return isMissingObject(answer) ? undefined : readObject(answer, attempt);
  }

  async list(kind: KubeKind, options: ListOptions = {}): Promise<KubeList> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#listPages(kind, options);
      } catch (error) {
        // The first page may be older than what the server remembers when the last one is asked for.
        if (!(error instanceof KubeError) || !error.isExpired || tries >= mostListings) throw error;
      }
    }
  }

  create(kind: KubeKind, object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const name = this.#nameOf(kind, object.metadata);
    const path = pathOfKind(kind, name.namespace);
    return this.#write(object, { ...this.#attempt("create", kind, { name }), path }, { method: "POST", options });
  }

  replace(kind: KubeKind, object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const name = this.#nameOf(kind, object.metadata);
    const attempt = this.#attempt("update", kind, { name, subresource: options.subresource });
    return this.#write(object, attempt, { method: "PUT", options });
  }

  apply(kind: KubeKind, object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    const name = this.#nameOf(kind, object.metadata);
    const attempt = this.#attempt("patch", kind, { name, subresource: options.subresource });
    const query = { force: String(options.force), dryRun: options.dryRun === true ? "All" : undefined };
    return this.#write(object, attempt, { ...applyPatch, options, query });
  }

  mergePatch(
    kind: KubeKind,
    name: ObjectName,
    options: WriteOptions & { readonly patch: object },
  ): Promise<KubeObject> {
    const attempt = this.#attempt("patch", kind, { name: this.#nameOf(kind, name), subresource: options.subresource });
    return this.#write(options.patch, attempt, { ...mergePatch, options });
  }

  async delete(kind: KubeKind, name: ObjectName): Promise<boolean> {
    const attempt = this.#attempt("delete", kind, { name: this.#nameOf(kind, name) });
    const answer = await this.#connection.send({ method: "DELETE", path: attempt.path });
    if (isMissingObject(answer)) return false;
    if (!isSuccess(answer)) throw readRefusal(answer, attempt);
    return true;
  }

  async canI({ verb, group, resource, namespace, name }: Access): Promise<boolean> {
    const [plural = resource, subresource] = resource.split("/");
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      metadata: { name: "" },
      spec: { resourceAttributes: { verb, group, resource: plural, subresource, namespace, name } },
    };
    const attempt = { context: this.context, verb: "create", kind: undefined, path };
    const answer = await this.#write(review, attempt, { method: "POST" });
    const { status } = answer;
    return typeof status === "object" && status !== null && "allowed" in status && status.allowed === true;
  }

  async serves({ group, version, plural }: KubeKind): Promise<boolean> {
    const path = groupPath(group, version);
    if (this.#served.has(`${path}/${plural}`)) return true;
    const answer = await this.#connection.send({ method: "GET", path });
    if (answer.status === 404) return false;
    const attempt = { context: this.context, verb: "get", kind: undefined, path };
    const { resources = [] }: { readonly resources?: readonly { readonly name: string }[] } = readJson(answer, attempt);
    for (const { name } of resources) this.#served.add(`${path}/${name}`);
    return this.#served.has(`${path}/${plural}`);
  }

  watch(kind: KubeKind, options: WatchOptions): AsyncIterable<WatchEvent> {
    const attempt = this.#attempt("watch", kind, { namespace: options.namespace });
    return watchKind(this.#connection, { kind, attempt, ...options });
  }

  async getText(path: string, options: ReachOptions = {}): Promise<string> {
    const of = path.includes("/proxy/") ? "pods" : "api";
    const answer = await this.#connection.send({ method: "GET", path, of, ...limitsOf(options) });
    if (isSuccess(answer)) return answer.body;
    throw readRefusal(answer, { context: this.context, verb: "get", kind: undefined, path });
  }

  openPort(place: PodPlace, options: ReachOptions = {}): Promise<Duplex> {
    return openPort(this.#connection, place, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  async #listPages(kind: KubeKind, options: ListOptions): Promise<KubeList> {
    const attempt = this.#attempt("list", kind, { namespace: options.namespace });
    const items: KubeObject[] = [];
    let next: string | undefined;
    for (;;) {
      const page = { ...selectors(options), limit: String(pageSize), continue: next };
      const path = withQuery(attempt.path, page);
      const answer = await this.#connection.send({
        method: "GET",
        path,
        timeoutMs: options.timeoutMs ?? listTimeoutMs,
        signal: options.signal,
      });
      const list: ListAnswer = readJson(answer, attempt);
      const { apiVersion } = list;
      // Kinds of the API server's own leave out in a list what the list says once.
      for (const item of list.items ?? []) items.push({ ...item, apiVersion, kind: kind.kind });
      next = list.metadata.continue;
      if (next === undefined || next === "") return { resourceVersion: list.metadata.resourceVersion ?? "", items };
    }
  }

  async #write(body: object, attempt: Attempt, write: Write): Promise<KubeObject> {
    const { options = {}, query, ...how } = write;
    const path = withQuery(attempt.path, { fieldManager: options.fieldManager, ...query });
    const answer = await this.#connection.send({ ...how, path, body: JSON.stringify(body), ...limitsOf(options) });
    return readObject(answer, attempt);
  }

  #nameOf(kind: KubeKind, { name, namespace }: ObjectName): ObjectName {
    return kind.isNamespaced ? { name, namespace: namespace ?? this.defaultNamespace } : { name };
  }

  #attempt(verb: string, kind: KubeKind, about: Pick<Attempt, "name" | "namespace" | "subresource">): Attempt {
    const { name, namespace = name?.namespace, subresource } = about;
    const path = name === undefined ? pathOfKind(kind, namespace) : pathOfObject(kind, name, subresource);
    return { context: this.context, verb, kind, name, namespace, subresource, path };
  }
}

type Write = Pick<KubeRequest, "method" | "contentType"> & {
  readonly options?: WriteOptions;
  /** Beside the field manager. */
  readonly query?: Readonly<Record<string, string | undefined>>;
};

const applyPatch = { method: "PATCH", contentType: "application/apply-patch+yaml" } as const;
const mergePatch = { method: "PATCH", contentType: "application/merge-patch+json" } as const;

function limitsOf({ timeoutMs, signal }: ReachOptions): Pick<KubeRequest, "timeoutMs" | "signal"> {
  return { timeoutMs, signal };
}

interface ListAnswer {
  readonly apiVersion: string;
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly KubeObject[] | null;
}

function isSuccess({ status }: KubeAnswer): boolean {
  return status >= 200 && status < 300;
}

function readObject(answer: KubeAnswer, attempt: Attempt): KubeObject {
  return readJson(answer, attempt);
}

function readJson(answer: KubeAnswer, attempt: Attempt): ReturnType<typeof JSON.parse> {
  if (!isSuccess(answer)) throw readRefusal(answer, attempt);
  try {
    return JSON.parse(answer.body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // A login page of a proxy, for one.
    throw new KubeError(
      "KIR4004",
      `what answers for context ${attempt.context} is no API server: it does not speak JSON`,
      {
        exitStatus: 3,
        status: undefined,
        hint: "look at the cluster's server in the kubeconfig",
      },
    );
  }
}

import type { ExitStatus } from "../core/diagnostics/error.ts";
import type { KubeAnswer } from "./kube-connection.ts";
import { KubeError } from "./kube-error.ts";
import type { KubeKind, ObjectName } from "./kube-object.ts";

/** What was asked for, in RBAC's words, to be said when it is refused. */
export interface Attempt {
  readonly context: string;
  readonly verb: string;
  /** Undefined for a path that is no object's. */
  readonly kind: KubeKind | undefined;
  readonly subresource?: string | undefined;
  readonly name?: ObjectName | undefined;
  /** Undefined where all of them were asked for. */
  readonly namespace?: string | undefined;
  readonly path: string;
}

/** The part of a `Status` (meta/v1) that is read. */
export interface ApiStatus {
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}

interface Words {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly exitStatus: ExitStatus;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Turns an answer that is no success into an error that says what was refused, why and what helps. */
export function readRefusal(answer: KubeAnswer, attempt: Attempt): KubeError {
  const said = readStatus(answer.body);
  if (said === undefined && attempt.path.includes("/proxy/")) return notOfApiServer(answer.status, attempt);
  return refuse(answer.status, said, attempt);
}

/** Behind `pods/proxy` a program answers, and only what the API server says itself has a Status. */
function notOfApiServer(status: number, attempt: Attempt): KubeError {
  const message = `${subject(attempt)} answers ${status}, and not the API server`;
  const hint = "it was asked through the API server; the pod's log may say why it refuses";
  return new KubeError("KIR4011", message, { exitStatus: 1, status, hint });
}

/** The error of an answer that is not 2xx, with a code and a hint by what was tried. */
export function refuse(status: number, said: ApiStatus | undefined, attempt: Attempt): KubeError {
  const { code, message, ...rest } = wordsFor(status, said, attempt);
  return new KubeError(code, message, { ...rest, status, reason: said?.reason });
}

/** True where the object is not there, rather than its kind. */
export function isMissingObject({ status, body }: KubeAnswer): boolean {
  return status === 404 && readStatus(body)?.details?.name !== undefined;
}

function wordsFor(status: number, said: ApiStatus | undefined, attempt: Attempt): Words {
  if (status === 401) return notSignedIn(attempt);
  if (status === 403) return forbidden(said, attempt);
  if (status === 404 && said?.details?.name === undefined && attempt.kind !== undefined) return notServed(attempt.kind);
  if (status === 409) return conflict(said, attempt);
  if (status === 410) {
    return {
      code: "KIR4013",
      message: `the API server no longer knows what happened to ${subject(attempt)} since then`,
      hint: "list again",
      exitStatus: 3,
    };
  }
  if (status === 429 || status >= 500) {
    return {
      code: "KIR4004",
      message: `the API server of context ${attempt.context} could not ${attempt.verb} ${subject(attempt)} (${reasonOf(status, said)})`,
      hint: "try again later; `kubectl get --raw /readyz` says how it is",
      exitStatus: 3,
    };
  }
  return {
    code: "KIR4011",
    message: `the API server refused to ${attempt.verb} ${subject(attempt)}: ${reasonOf(status, said)}`,
    exitStatus: 1,
  };
}

function notSignedIn({ context }: Attempt): Words {
  return {
    code: "KIR4009",
    message: `the API server does not know who context ${context} is: its token or certificate is wrong or has ended`,
    hint: "sign in again as you do for kubectl, and try `kubectl auth whoami`",
    exitStatus: 3,
  };
}

/** Admission and quotas refuse with 403 too, so that the server's own words are needed. */
function forbidden(said: ApiStatus | undefined, attempt: Attempt): Words {
  const { kind, verb, namespace } = attempt;
  const resource = resourceOf(attempt);
  const [where, flag] = scopeOf(attempt);
  const words = `not allowed to ${verb} ${resource}${where}`;
  return {
    code: "KIR4005",
    message: said?.message === undefined ? words : `${words}: ${said.message}`,
    hint: `ask for a Role with this right; \`kubectl auth can-i ${verb} ${resource}${flag}\` says whether you have it`,
    exitStatus: 3,
    details: { verb, group: kind?.group, resource, namespace },
  };
}

/** In words, and as kubectl takes it. */
function scopeOf({ kind, namespace }: Attempt): readonly [where: string, flag: string] {
  if (kind === undefined || !kind.isNamespaced) return ["", ""];
  return namespace === undefined
    ? [" in all namespaces", " --all-namespaces"]
    : [` in namespace ${namespace}`, ` -n ${namespace}`];
}

function notServed({ group, version, kind }: KubeKind): Words {
  const product = group.endsWith("istio.io") ? "Istio is not installed here" : undefined;
  const needed = group.endsWith("kirikae.dev") ? "kirikae's own kinds are not installed here" : product;
  return {
    code: "KIR4008",
    message: `the API server does not serve ${kind} of ${group === "" ? version : `${group}/${version}`}${needed === undefined ? "" : `: ${needed}`}`,
    hint: group.endsWith("istio.io")
      ? "kirikae needs Istio 1.22 or newer, which serves these kinds as v1"
      : "`kubectl api-resources` lists what it serves",
    exitStatus: 3,
    details: { group, version, kind },
  };
}

function conflict(said: ApiStatus | undefined, attempt: Attempt): Words {
  const causes = (said?.details?.causes ?? []).filter(({ reason }) => reason === "FieldManagerConflict");
  if (causes.length > 0) return foreignOwner(causes, attempt);
  const isThere = said?.reason === "AlreadyExists";
  return {
    code: "KIR4007",
    message: isThere
      ? `${subject(attempt)} is there already`
      : `${subject(attempt)} was written by somebody else in between, so nothing was written`,
    hint: "look at what is there now and try again",
    exitStatus: 1,
  };
}

type Cause = NonNullable<NonNullable<ApiStatus["details"]>["causes"]>[number];

/** The manager stands in the message only: `conflict with "helm" using networking.istio.io/v1`. */
function foreignOwner(causes: readonly Cause[], attempt: Attempt): Words {
  const owned = causes.map(({ message = "", field = "" }) => ({
    manager: /conflict with "((?:[^"\\]|\\.)*)"/u.exec(message)?.[1] ?? "somebody else",
    field: field.replace(/^\./u, ""),
  }));
  const list = owned.map(({ manager, field }) => `${field} belongs to ${manager}`).join(", ");
  return {
    code: "KIR4006",
    message: `${subject(attempt)} was not written, because others own its fields: ${list}`,
    hint: "let the owner go of the field, or take it over",
    exitStatus: 1,
    details: { owners: owned },
  };
}

/** `VirtualService sample-ns/sample-app`. */
function subject({ kind, name, namespace, path, subresource }: Attempt): string {
  if (kind === undefined) return path.split("?")[0] ?? path;
  const of = subresource === undefined ? "" : ` (${subresource})`;
  if (name !== undefined)
    return `${kind.kind} ${name.namespace === undefined ? "" : `${name.namespace}/`}${name.name}${of}`;
  const where = kind.isNamespaced
    ? namespace === undefined
      ? " of all namespaces"
      : ` of namespace ${namespace}`
    : "";
  return `${kind.plural}${where}`;
}

function resourceOf({ kind, subresource, path }: Attempt): string {
  if (kind === undefined) return path.split("?")[0] ?? path;
  const plural = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
  return subresource === undefined ? plural : `${plural}/${subresource}`;
}

function reasonOf(status: number, said: ApiStatus | undefined): string {
  return said?.message === undefined || said.message === "" ? `status ${status}` : said.message.slice(0, 2_000);
}

function readStatus(body: string): ApiStatus | undefined {
  try {
    const value: (ApiStatus & { readonly kind?: string }) | null = JSON.parse(body);
    return value?.kind === "Status" ? value : undefined;
  } catch (error) {
    // Proxies before the API server answer in HTML.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

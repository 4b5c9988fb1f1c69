import { harmlessLine } from "../../core/diagnostics/harmless-line.ts";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import type { ReleaseObjectStatus } from "./release-status.ts";

/** Of a condition's message (metav1.Condition). */
const longestText = 32_768;

/** The one name under which the controller writes Releases. */
export const controllerManager = "kirikae-controller";

export interface StatusWrite {
  readonly status: ReleaseObjectStatus;
  /** Refused with KIR4007 where the object is another one by now; undefined writes over what is there. */
  readonly resourceVersion?: string | undefined;
}

/** Makes the object's status exactly this one; undefined where it is already. */
export async function writeStatus(
  api: Pick<KubeApi, "mergePatch">,
  object: KubeObject,
  { status, resourceVersion }: StatusWrite,
): Promise<KubeObject | undefined> {
  const patch = patchOf(readStatus(object), disarm(status));
  if (patch === undefined) return undefined;
  const { namespace, name } = object.metadata;
  return await api.mergePatch(
    kubeKinds.release,
    { namespace, name },
    {
      fieldManager: controllerManager,
      subresource: "status",
      patch: { ...(resourceVersion !== undefined && { metadata: { resourceVersion } }), status: patch },
    },
  );
}

/** kubectl prints texts as they are, and some are of people: questions, reasons, names. */
function disarm<Value>(value: Value): Value;
function disarm(value: unknown): unknown {
  if (typeof value === "string") return harmlessLine(value, longestText);
  if (Array.isArray(value)) return value.map((each: unknown) => disarm(each));
  if (!isObject(value)) return value;
  // By an order's text it is known again, and it is in JSON or in plain words.
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, key === "order" ? each : disarm(each)]));
}

/** What the API server has; its schema has been checked there, and what is of another kind all the same is left out. */
export function readStatus({ status }: KubeObject): ReleaseObjectStatus {
  return isObject(status) ? status : {};
}

/** A merge patch (RFC 7396) from the one to the other; undefined where they are the same. */
export function patchOf(before: object, after: object): Readonly<Record<string, unknown>> | undefined {
  const was = new Map(Object.entries(before));
  const patch: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(after)) {
    const old: unknown = was.get(key);
    was.delete(key);
    if (isObject(value) && isObject(old)) {
      const inner = patchOf(old, value);
      if (inner !== undefined) patch[key] = inner;
    } else if (!isEqual(old, value)) {
      patch[key] = value;
    }
  }
  for (const key of was.keys()) patch[key] = null;
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The order of members says nothing: the API server gives them back in its own. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((each, index) => isEqual(each, other[index]));
  }
  if (isObject(one) && isObject(other)) return patchOf(one, other) === undefined;
  return one === other;
}

import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import type { KubeKind } from "../../../kubernetes/kube-object.ts";
import type { Unseen } from "./site-objects.ts";

/** Whether a kind may be listed and watched in a namespace; undefined asks for all of them. */
export async function mayWatch(
  api: Pick<KubeApi, "canI">,
  { group, plural }: KubeKind,
  namespace: string | undefined,
): Promise<boolean> {
  const access = { group, resource: plural, namespace };
  const answers = await Promise.all([api.canI({ verb: "list", ...access }), api.canI({ verb: "watch", ...access })]);
  return answers.every(Boolean);
}

/** A kind that rights keep from being seen; undefined as the namespace is the whole cluster. */
export function unseenFor(kind: KubeKind, namespace: string | undefined): Unseen {
  return { kind, namespace, why: "it may not be listed and watched" };
}

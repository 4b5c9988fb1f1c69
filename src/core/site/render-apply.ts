import type { SiteObject } from "./site-object.ts";

export interface AppliedFields {
  /** Left out where there are none, because whatever is applied belongs to kirikae from then on. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * What to send of an object for server-side apply: which one it is, the version that the write was planned on, and the
 * fields that are to be kirikae's, without any that belong to others (Kubernetes, "Server-Side Apply": a fully specified
 * intent; a resourceVersion makes it fail where somebody has written in between).
 */
export function renderApply({ apiVersion, kind, metadata }: SiteObject, applied: AppliedFields): SiteObject {
  const { name, namespace, resourceVersion } = metadata;
  const { annotations, spec } = applied;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
    spec,
  };
}

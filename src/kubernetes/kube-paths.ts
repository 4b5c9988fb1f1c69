import type { ListOptions } from "./kube-api.ts";
import type { KubeKind, ObjectName } from "./kube-object.ts";

/** Where the objects of a kind are: of one namespace, or of all of them. */
export function pathOfKind({ group, version, plural, isNamespaced }: KubeKind, namespace?: string): string {
  const root = groupPath(group, version);
  const folder = isNamespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${folder}/${plural}`;
}

/** Of one object, or of a subresource of it such as `status`. */
export function pathOfObject(kind: KubeKind, { namespace, name }: ObjectName, subresource?: string): string {
  const below = subresource === undefined ? "" : `/${subresource}`;
  return `${pathOfKind(kind, namespace)}/${encodeURIComponent(name)}${below}`;
}

/** The core group has an empty name and a root of its own. */
export function groupPath(group: string, version: string): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** Parameters that are undefined are left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((each): each is [string, string] => each[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

export function selectors({ labelSelector, fieldSelector }: ListOptions): Readonly<Record<string, string | undefined>> {
  return { labelSelector, fieldSelector };
}

import type { KubeKind, KubeObject, ObjectName } from "../../../kubernetes/kube-object.ts";
import { keyOfKind } from "./site-kinds.ts";

/** What is known of a site's objects, listed once or kept fresh by watches. */
export interface SiteObjects {
  objects(kind: KubeKind): readonly KubeObject[];
  object(kind: KubeKind, name: ObjectName): KubeObject | undefined;
  /** Puts the answer to a write in the place of what was known. */
  take(object: KubeObject): void;
}

/** What could not be read, and why; everything else was. */
export interface Unseen {
  readonly kind: KubeKind;
  /** Undefined for all of them. */
  readonly namespace: string | undefined;
  /** In the words of the API server. */
  readonly why: string;
}

/** The objects of one moment, and what was written since. */
export class ListedObjects implements SiteObjects {
  readonly #kinds = new Map<string, { readonly kind: KubeKind; readonly objects: Map<string, KubeObject> }>();

  add(kind: KubeKind, objects: readonly KubeObject[]): void {
    const known = this.#kinds.get(keyOfKind(kind)) ?? { kind, objects: new Map<string, KubeObject>() };
    this.#kinds.set(keyOfKind(kind), known);
    // An item of a list says neither what it is nor of which version.
    for (const object of objects) known.objects.set(keyOf(object.metadata), { ...object, ...typeOf(kind) });
  }

  objects(kind: KubeKind): readonly KubeObject[] {
    return [...(this.#kinds.get(keyOfKind(kind))?.objects.values() ?? [])];
  }

  object(kind: KubeKind, name: ObjectName): KubeObject | undefined {
    return this.#kinds.get(keyOfKind(kind))?.objects.get(keyOf(name));
  }

  take(object: KubeObject): void {
    for (const { kind, objects } of this.#kinds.values()) {
      const { apiVersion } = typeOf(kind);
      if (kind.kind === object.kind && apiVersion === object.apiVersion) objects.set(keyOf(object.metadata), object);
    }
  }
}

function typeOf({ group, version, kind }: KubeKind): Pick<KubeObject, "apiVersion" | "kind"> {
  return { apiVersion: group === "" ? version : `${group}/${version}`, kind };
}

function keyOf({ namespace, name }: ObjectName): string {
  return `${namespace ?? ""}/${name}`;
}

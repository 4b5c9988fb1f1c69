import type { KubeList, WatchEvent } from "./kube-api.ts";
import type { KubeObject } from "./kube-object.ts";

/** One object that is not what it was. */
export interface ShelfChange {
  /** `namespace/name`, or the name alone. */
  readonly name: string;
  readonly before: KubeObject | undefined;
  /** Undefined where it is gone. */
  readonly object: KubeObject | undefined;
}

/** The objects of one kind. What comes late never takes the place of what is newer. */
export class KindShelf {
  readonly #objects = new Map<string, KubeObject>();
  /** The newest resourceVersion that a stream has told of, by its namespace. */
  readonly #seen = new Map<string | undefined, string>();

  all(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  get(name: string): KubeObject | undefined {
    return this.#objects.get(name);
  }

  /** Of a write's answer; undefined where nothing has changed. */
  put(object: KubeObject): ShelfChange | undefined {
    const known = this.#objects.get(nameOf(object));
    const { namespace } = object.metadata;
    const seen = this.#seen.get(namespace) ?? this.#seen.get(undefined);
    // An object that is not here, and older than what the watch has told, has been deleted since it was written.
    if (known === undefined && seen !== undefined && !isNewer(versionOf(object), seen)) return undefined;
    return this.#store(object);
  }

  observe(event: WatchEvent, namespace: string | undefined): ShelfChange | undefined {
    if (event.kind === "bookmark") {
      this.#seen.set(namespace, event.resourceVersion);
      return undefined;
    }
    this.#seen.set(namespace, versionOf(event.object));
    return event.kind === "deleted" ? this.#remove(event.object) : this.#store(event.object);
  }

  /** @param namespace of the list; objects of others stay */
  replaceAll(list: KubeList, namespace: string | undefined): readonly ShelfChange[] {
    this.#seen.set(namespace, list.resourceVersion);
    const listed = new Set(list.items.map(nameOf));
    const gone = [...this.#objects]
      .filter(
        ([name, object]) => !listed.has(name) && (namespace ?? object.metadata.namespace) === object.metadata.namespace,
      )
      .filter(([, object]) => !isNewer(versionOf(object), list.resourceVersion))
      .map(([name, before]) => ({ name, before, object: undefined }));
    for (const { name } of gone) this.#objects.delete(name);
    return [...gone, ...list.items.flatMap((object) => this.#store(object) ?? [])];
  }

  #store(object: KubeObject): ShelfChange | undefined {
    const name = nameOf(object);
    const before = this.#objects.get(name);
    if (before !== undefined && !isNewer(versionOf(object), versionOf(before))) return undefined;
    const stripped = strip(object);
    this.#objects.set(name, stripped);
    return { name, before, object: stripped };
  }

  #remove(object: KubeObject): ShelfChange | undefined {
    const name = nameOf(object);
    const before = this.#objects.get(name);
    if (before === undefined || isNewer(versionOf(before), versionOf(object))) return undefined;
    this.#objects.delete(name);
    return { name, before, object: undefined };
  }
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

type Writable<Fields> = { -readonly [Name in keyof Fields]: Fields[Name] };

/** Without what nobody reads here and what makes an object twice as large. */
function strip(object: KubeObject): KubeObject {
  const metadata: Writable<KubeObject["metadata"]> = { ...object.metadata };
  delete metadata.managedFields;
  if (metadata.annotations?.[lastApplied] !== undefined) {
    const others = Object.entries(metadata.annotations).filter(([name]) => name !== lastApplied);
    metadata.annotations = Object.fromEntries(others);
  }
  return { ...object, metadata };
}

function nameOf({ metadata: { namespace, name } }: KubeObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function versionOf({ metadata }: KubeObject): string {
  return metadata.resourceVersion ?? "";
}

/**
 * Versions of one kind are whole numbers that grow (KEP-5504 makes a promise of what has always been so); others cannot
 * be compared, and then what comes last counts.
 */
function isNewer(version: string, than: string): boolean {
  if (!/^\d+$/u.test(version) || !/^\d+$/u.test(than)) return version !== than;
  return version.length === than.length ? version > than : version.length > than.length;
}

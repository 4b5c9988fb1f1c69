import type { Position } from "../diagnostics/position.ts";
import type { ReleaseSpec } from "../manifest/release.ts";
import { type InputField, settleFields } from "./field-ledger.ts";
import type { ImportNote, LeftOut } from "./import-note.ts";
import { type InputObject, leaveOutMetadata } from "./input-object.ts";

/** A Kubernetes object as plain values, in the order in which its fields are to be printed. */
export interface MadeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What one object of the other tool became. */
export interface ImportedRelease {
  readonly name: string;
  readonly namespace: string;
  readonly spec: ReleaseSpec;
  /** Routing that the other tool makes by itself, or changes: it has to be there for the release. */
  readonly made: readonly MadeObject[];
  /** What the release has no equal for, with what that means; those of the objects that were referred to as well. */
  readonly notes: readonly ImportNote[];
  readonly leftOut: readonly LeftOut[];
  /** Where the other tool's object begins. */
  readonly at: Position;
}

/** The objects of the given files, by kind and name. */
export class InputCatalog {
  readonly #objects: ReadonlyMap<string, InputObject>;

  constructor(objects: readonly InputObject[]) {
    this.#objects = new Map(objects.map((object) => [keyOf(object.kind, object), object]));
  }

  find(kind: string, name: { readonly namespace: string; readonly name: string }): InputObject | undefined {
    return this.#objects.get(keyOf(kind, name));
  }

  all(kind: string): readonly InputObject[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind);
  }
}

function keyOf(kind: string, { namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return kind.startsWith("Cluster") ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** One object on its way to a Release, with everything that it refers to. */
export class Importing {
  readonly object: InputObject;
  readonly catalog: InputCatalog;
  readonly #referred = new Set<InputObject>();

  constructor(object: InputObject, catalog: InputCatalog) {
    this.object = object;
    this.catalog = catalog;
    leaveOutMetadata(object);
  }

  get spec(): InputField {
    return this.object.root.get("spec");
  }

  /** Finds an object whose fields are to be accounted for too. */
  refer(kind: string, name: { readonly namespace: string; readonly name: string }): InputObject | undefined {
    const found = this.catalog.find(kind, name);
    if (found !== undefined) {
      this.#referred.add(found);
      leaveOutMetadata(found);
    }
    return found;
  }

  /** Says something about the strategy, or about the object where it has none. */
  noteStrategy(message: string): void {
    const { spec } = this;
    const places = [spec.at("strategy", "blueGreen"), spec.at("strategy", "canary"), spec.get("strategy"), spec];
    (places.find(({ exists }) => exists) ?? this.object.root).note(message);
  }

  /** Accounts for what nobody has looked at, and puts the result together. */
  finish(result: Pick<ImportedRelease, "spec" | "made">): ImportedRelease {
    const objects = [this.object, ...this.#referred];
    for (const { root } of objects) settleFields(root);
    const { name, namespace, at } = this.object;
    return {
      ...result,
      name,
      namespace,
      at,
      notes: objects.flatMap(({ root }) => root.ledger.notes),
      leftOut: objects.flatMap(({ root }) => root.ledger.leftOut),
    };
  }
}

import type { Diagnostic } from "./diagnostics/diagnostic.ts";
import { findChangedRules } from "./incremental/changed-rules.ts";
import { type BuiltTable, TablePatcher } from "./incremental/patch-table.ts";
import { pruneDestinations } from "./incremental/prune-destinations.ts";
import { reconcileTable } from "./incremental/reconcile-table.ts";
import type { SourceText } from "./manifest/manifest.ts";
import { createManifestReader, type ReadManifests } from "./manifest/manifest-reader.ts";
import { buildMesh } from "./mesh/build-mesh.ts";
import { checkMesh } from "./mesh/check-mesh.ts";
import type { Mesh } from "./mesh/mesh.ts";
import { buildRouteTable } from "./routes/build-route-table.ts";
import type { RouteTable } from "./routes/route-table.ts";

/** What a set of manifests says, and what is wrong with it. */
export interface MeshModel {
  readonly mesh: Mesh;
  /** With the weights that the manifests declare. */
  readonly table: RouteTable;
  /** In the order of files and lines; what has no place comes last. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A model whose mesh may not have been checked as a whole yet; nothing of that keeps it from being served. */
export interface ServableModel extends MeshModel {
  /** Whether `diagnostics` says everything; else findings about the mesh as a whole are those of before. */
  readonly isChecked: boolean;
}

export interface ModelOptions {
  /** The namespace of objects that name none. */
  readonly defaultNamespace: string;
  /** The time, in milliseconds since 1970; without it no certificate is called out of date. */
  readonly nowMs?: number;
  /** Whether the mesh as a whole is checked by `finish` alone, for who serves more often than they ask what is wrong. */
  readonly checksLater?: boolean;
}

/** What is kept of the last model. */
interface KnownModel {
  readonly linked: readonly Diagnostic[];
  readonly checked: readonly Diagnostic[];
  readonly built: BuiltTable;
  /** Made when it is needed first; null where the table cannot be patched. */
  patcher: TablePatcher | undefined | null;
}

/**
 * The way from texts to a route table, with a memory of one model: of texts that differ little from those of before, only
 * what changed is parsed and built, and whatever says the same is the same object. The result is that of building anew.
 */
export class MeshModelBuilder {
  readonly #read = createManifestReader();
  #known: KnownModel | undefined;

  /** Parses texts and builds nothing yet: who gives it more and more of them has room for other work in between. */
  parse(sources: readonly SourceText[], options: ModelOptions): void {
    this.#read(sources, options);
  }

  /** All that is needed for serving, in time that depends on the change where rules alone changed. */
  buildServable(sources: readonly SourceText[], options: ModelOptions): ServableModel {
    const parsed = this.#read(sources, options);
    const isChecked = options.checksLater !== true;
    return this.#patch(parsed) ?? { ...this.#buildAll(parsed, options), isChecked };
  }

  /** A model that was made last, with what takes a look at the mesh as a whole. */
  finish(model: ServableModel, sources: readonly SourceText[], options: ModelOptions): MeshModel {
    const known = this.#known;
    if (model.isChecked || known === undefined || known.built.table !== model.table) return model;
    this.#known = { ...known, checked: checkMesh(model.mesh, options) };
    return describe(this.#read(sources, options), this.#known);
  }

  #patch(parsed: ReadManifests): ServableModel | undefined {
    const known = this.#known;
    const changes = parsed.changed && findChangedRules(parsed.changed);
    if (known === undefined || changes === undefined) return undefined;
    if (known.linked.some(({ code }) => code === "KIR1008")) return undefined;
    known.patcher ??= TablePatcher.of(known.built) ?? null;
    const built = known.patcher?.patch(changes);
    if (built === undefined) return undefined;
    this.#known = { ...known, built };
    return { ...describe(parsed, this.#known), isChecked: false };
  }

  #buildAll(parsed: ReadManifests, options: ModelOptions): MeshModel {
    const before = this.#known?.built.table;
    const { mesh, diagnostics: linked } = buildMesh(parsed.manifests);
    const { table: whole, diagnostics } = buildRouteTable(mesh);
    const pruned = pruneDestinations(whole);
    const table = before === undefined ? pruned : reconcileTable(before, pruned);
    this.#known = {
      linked,
      checked: options.checksLater === true ? (this.#known?.checked ?? []) : checkMesh(mesh, options),
      built: { mesh, table, diagnostics },
      patcher: undefined,
    };
    return describe(parsed, this.#known);
  }
}

function describe(parsed: ReadManifests, { linked, checked, built }: KnownModel): MeshModel {
  const routed = withoutKnownSecrets(built.diagnostics, checked);
  const diagnostics = [...parsed.diagnostics, ...linked, ...checked, ...routed].toSorted(byPlace);
  return { mesh: built.mesh, table: built.table, diagnostics };
}

/**
 * One fault is one finding: that a server is left out for want of its Secret (KIR1112) goes without saying where the
 * Secret itself was looked at (KIR1202, KIR1203), which takes the pods of the gateway.
 */
function withoutKnownSecrets(routed: readonly Diagnostic[], checked: readonly Diagnostic[]): readonly Diagnostic[] {
  const told = new Set(checked.filter(({ code }) => code === "KIR1202" || code === "KIR1203").map(placeKey));
  return told.size === 0 ? routed : routed.filter((found) => found.code !== "KIR1112" || !told.has(placeKey(found)));
}

function placeKey({ resource, at }: Diagnostic): string {
  return `${resource} ${at?.file}:${at?.line}:${at?.column}`;
}

/** `check` and `explain` ask again and again about the same folder. */
const sharedBuilder = new MeshModelBuilder();

/** The whole way from text to route table, for `check` and `explain`; `up` keeps a `MeshModelBuilder` of its own. */
export function buildMeshModel(sources: readonly SourceText[], options: ModelOptions): MeshModel {
  return sharedBuilder.finish(sharedBuilder.buildServable(sources, options), sources, options);
}

/** Orders findings as a reader meets them in the files; several at one place by what they say. */
export function byPlace(one: Diagnostic, other: Diagnostic): number {
  if (one.at === undefined || other.at === undefined) {
    return Number(one.at === undefined) - Number(other.at === undefined) || byText(one, other);
  }
  if (one.at.file !== other.at.file) return one.at.file < other.at.file ? -1 : 1;
  return one.at.line - other.at.line || one.at.column - other.at.column || byText(one, other);
}

function byText(one: Diagnostic, other: Diagnostic): number {
  const left = `${one.code} ${one.resource ?? ""} ${one.message}`;
  const right = `${other.code} ${other.resource ?? ""} ${other.message}`;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

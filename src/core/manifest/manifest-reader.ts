import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Manifest, SourceText } from "./manifest.ts";
import { type ParsedManifests, type ParseOptions, parseManifests } from "./parse-manifests.ts";

/** `parseManifests` with a memory; made by `createManifestReader`. */
export type ManifestReader = (sources: readonly SourceText[], options: ParseOptions) => ReadManifests;

export interface ReadManifests extends ParsedManifests {
  /** What became of the texts that changed since the last call; undefined where others came, went or moved. */
  readonly changed: readonly ChangedText[] | undefined;
}

/** What a text says and said. */
export interface ChangedText {
  readonly before: ParsedManifests;
  readonly after: ParsedManifests;
}

interface ReadSource {
  readonly path: string;
  readonly text: string;
  readonly parsed: ParsedManifests;
}

/**
 * A reader that parses only texts that differ from those of its last call, so that saving one file of a thousand costs
 * one file. The result is that of `parseManifests`; manifests of unchanged files are the same objects as before. It
 * remembers the sources of one call and no more.
 */
export function createManifestReader(): ManifestReader {
  let known: readonly ReadSource[] = [];
  let namespace: string | undefined;
  return (sources, options) => {
    const before = namespace === options.defaultNamespace ? known : [];
    namespace = options.defaultNamespace;
    const isSameList = hasSamePaths(sources, before);
    const byPath = isSameList ? undefined : new Map(before.map((read) => [read.path, read]));
    const changed: ChangedText[] = [];
    const next: ReadSource[] = [];
    for (const source of sources) {
      const old = byPath === undefined ? before[next.length] : byPath.get(source.path);
      if (old !== undefined && old.text === source.text) {
        next.push(old);
        continue;
      }
      const parsed = parseManifests([source], options);
      if (old !== undefined) changed.push({ before: old.parsed, after: parsed });
      next.push({ path: source.path, text: source.text, parsed });
    }
    known = next;
    return new Reading(known, isSameList ? changed : undefined);
  };
}

function hasSamePaths(sources: readonly SourceText[], before: readonly ReadSource[]): boolean {
  if (sources.length !== before.length) return false;
  for (let at = 0; at < sources.length; at += 1) if (sources[at]?.path !== before[at]?.path) return false;
  return true;
}

/** Puts the lists of all texts together only where somebody asks for them. */
class Reading implements ReadManifests {
  readonly #read: readonly ReadSource[];
  readonly changed: readonly ChangedText[] | undefined;
  #manifests: readonly Manifest[] | undefined;
  #diagnostics: readonly Diagnostic[] | undefined;

  constructor(read: readonly ReadSource[], changed: readonly ChangedText[] | undefined) {
    this.#read = read;
    this.changed = changed;
  }

  get manifests(): readonly Manifest[] {
    this.#manifests ??= this.#read.flatMap(({ parsed }) => parsed.manifests);
    return this.#manifests;
  }

  get diagnostics(): readonly Diagnostic[] {
    // Most texts have none.
    this.#diagnostics ??= this.#read
      .filter(({ parsed }) => parsed.diagnostics.length > 0)
      .flatMap(({ parsed }) => parsed.diagnostics);
    return this.#diagnostics;
  }
}

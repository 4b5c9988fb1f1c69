import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Manifest, SourceText } from "./manifest.ts";
import { type ParsedManifests, type ParseOptions, parseManifests } from "./parse-manifests.ts";

/** `parseManifests` with a memory; made by `createManifestReader`. */
export type ManifestReader = (sources: readonly SourceText[], options: ParseOptions) => ParsedManifests;

interface ReadSource {
  readonly text: string;
  readonly parsed: ParsedManifests;
}

/**
 * A reader that parses only texts that differ from those of its last call, so that saving one file of a thousand costs
 * one file. The result is that of `parseManifests`; manifests of unchanged files are the same objects as before. It
 * remembers the sources of one call and no more.
 */
export function createManifestReader(): ManifestReader {
  let known: ReadonlyMap<string, ReadSource> = new Map();
  return (sources, options) => {
    const next = new Map<string, ReadSource>();
    const manifests: Manifest[] = [];
    const diagnostics: Diagnostic[] = [];
    for (const source of sources) {
      const key = `${options.defaultNamespace}\0${source.path}`;
      const before = known.get(key);
      const read =
        before?.text === source.text ? before : { text: source.text, parsed: parseManifests([source], options) };
      next.set(key, read);
      for (const manifest of read.parsed.manifests) {
        manifests.push(manifest);
      }
      for (const finding of read.parsed.diagnostics) {
        diagnostics.push(finding);
      }
    }
    known = next;
    return { manifests, diagnostics };
  };
}

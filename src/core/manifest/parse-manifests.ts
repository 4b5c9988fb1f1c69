import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { FindingLog } from "../diagnostics/finding-log.ts";
import { parseObject } from "./parse-object.ts";
import type { Manifest, SourceText } from "./manifest.ts";
import { FieldIndex } from "./yaml/field-index.ts";
import { LineIndex } from "./yaml/line-index.ts";
import { readYaml } from "./yaml/read-yaml.ts";
import type { YamlProblem } from "./yaml/yaml-value.ts";

export interface ParseOptions {
  /** The namespace of objects that name none. */
  readonly defaultNamespace: string;
}

export interface ParsedManifests {
  /** In order of the sources; objects with errors are there as far as they still make sense, or not at all. */
  readonly manifests: readonly Manifest[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads Kubernetes and Istio objects from YAML (several documents a file, `kind: List` too) or JSON. Never throws,
 * whatever the text: what is wrong is a diagnostic, at most a hundred errors a file. While there are errors the
 * manifests are good for further checks only, not for serving.
 */
export function parseManifests(sources: readonly SourceText[], options: ParseOptions): ParsedManifests {
  const manifests: Manifest[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const source of sources) {
    const text = withLineFeeds(source.text);
    const lines = source.isObject === true ? new FieldIndex(source.path, text) : new LineIndex(source.path, text);
    const log = new FindingLog({ file: source.path, line: 1, column: 1 });
    for (const document of readYaml(text)) {
      for (const problem of document.problems) {
        reportProblem(problem, lines, log);
      }
      if (document.value !== undefined) {
        for (const manifest of parseObject(document.value, {
          lines,
          log,
          defaultNamespace: options.defaultNamespace,
        })) {
          manifests.push(manifest);
        }
      }
    }
    diagnostics.push(...log.findings());
  }
  return { manifests, diagnostics };
}

/** A lone carriage return ends a line (YAML 1.2.2, 5.4); the library would take the rest of the file for a comment. */
function withLineFeeds(text: string): string {
  return text.includes("\r") ? text.replaceAll(/\r(?!\n)/g, "\n") : text;
}

function reportProblem(problem: YamlProblem, lines: Pick<LineIndex, "positionOf">, log: FindingLog): void {
  log.report(problem.kind === "limit" ? "KIR1002" : "KIR1001", () => ({
    message: problem.message,
    hint:
      problem.kind === "limit"
        ? "Make several documents of it, with a line of --- between them, and write repeated parts out."
        : undefined,
    at: lines.positionOf(problem.offset),
  }));
}

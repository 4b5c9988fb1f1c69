import { KirikaeError } from "../../core/diagnostics/error.ts";
import { renderPosition } from "../../core/diagnostics/position.ts";
import { importObjects, type Imported, type ImportedTool } from "../../core/import/import-objects.ts";
import { releaseObject, renderLeftOut, renderNote } from "../../core/import/render-import.ts";
import { readAllManifests } from "../../local/manifest-folder.ts";
import { printAnswer, type CommandContext } from "../command.ts";
import { countOf } from "../print/words.ts";
import type { ImportOptions } from "./import.ts";

interface ImportTarget {
  readonly tool: ImportedTool;
  readonly paths: readonly string[];
}

const objectsOf = {
  "argo-rollout": "Rollout of argoproj.io",
  "flagger-canary": "Canary of flagger.app",
} as const;

/**
 * Prints the Releases on standard output and everything that they have no equal for on standard error. Throws KIR2048
 * where there is nothing to import.
 */
export async function runImport(context: CommandContext, target: ImportTarget, options: ImportOptions): Promise<void> {
  const { tool, paths } = target;
  const { sources, diagnostics } = await readAllManifests(paths, { input: context.input });
  const imported = importObjects(tool, sources, { defaultNamespace: options.namespace });
  const unread = [...imported.problems, ...diagnostics].map(
    ({ message, at }) => `${at === undefined ? "" : `${renderPosition(at)}: `}${message}`,
  );
  if (imported.releases.length === 0) throw nothingToImport(target, unread);
  const answer = { exitStatus: 0 as const, data: toJson(imported), text: () => imported.text.trimEnd() };
  printAnswer(context, answer, options);
  for (const line of unread) context.terminal.note(`not read: ${line}`);
  if (options.json !== true) for (const line of notesOf(imported)) context.terminal.note(line);
}

function nothingToImport({ tool, paths }: ImportTarget, unread: readonly string[]): KirikaeError {
  const [first] = unread;
  const why = first === undefined ? "" : ` What could not be read: ${first}`;
  return new KirikaeError("KIR2048", `There is no ${objectsOf[tool]} in ${paths.join(", ")}.${why}`, {
    exitStatus: 2,
    hint: "Name the file that holds it; `kirikae help import` shows what can be imported.",
    details: { unread },
  });
}

function notesOf({ releases, incomplete }: Imported): readonly string[] {
  const notes = releases.flatMap((release) => release.notes.map(renderNote));
  const leftOut = releases.flatMap((release) => release.leftOut.map(renderLeftOut));
  const found = incomplete.map(({ message }) => `to be completed: ${message}`);
  const summary = `${countOf(releases.length, "Release")}, ${countOf(notes.length, "note")}. Next: \`kirikae check\` and \`kirikae plan\`.`;
  return [...notes, ...leftOut, ...found, summary];
}

function toJson({ releases, incomplete }: Imported): unknown {
  return {
    releases: releases.map((release) => ({
      release: releaseObject(release),
      made: release.made,
      notes: release.notes,
      leftOut: release.leftOut,
    })),
    incomplete: incomplete.map(({ code, message, hint }) => ({ code, message, hint: hint ?? null })),
  };
}

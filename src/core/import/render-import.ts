import { Document, isMap, isScalar, type Scalar } from "yaml";
import { renderPosition } from "../diagnostics/position.ts";
import type { ImportNote, LeftOut } from "./import-note.ts";
import type { ImportedRelease } from "./import-result.ts";
import { writeSpec } from "./write-spec.ts";

/** The Releases and what has to be there for them, as YAML documents; notes are comments above each spec. */
export function renderImport(releases: readonly ImportedRelease[]): string {
  return releases
    .flatMap((release) => [
      renderDocument(releaseObject(release), commentsOf(release)),
      ...release.made.map((made) => renderDocument(made, [])),
    ])
    .join("---\n");
}

/** A Release as plain values. */
export function releaseObject({ name, namespace, spec }: ImportedRelease): Readonly<Record<string, unknown>> {
  const metadata = { name, namespace };
  return { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata, spec: writeSpec(spec, namespace) };
}

/** One line a note, as a terminal and a comment show it. */
export function renderNote({ resource, path, message, at }: ImportNote): string {
  return `${resource} ${path}: ${message} (${renderPosition(at)})`;
}

/** One line for all fields of an object that are left out for the same reason. */
export function renderLeftOut({ resource, reason, paths }: LeftOut): string {
  return `${resource}: left out, because ${reason}: ${paths.join(", ")}`;
}

function commentsOf({ notes, leftOut }: ImportedRelease): readonly string[] {
  return [...notes.map(renderNote), ...leftOut.map(renderLeftOut)];
}

function renderDocument(object: object, comments: readonly string[]): string {
  // Kubernetes reads YAML 1.1, in which a plain yes is a boolean.
  const document = new Document(object, { aliasDuplicateObjects: false, compat: "yaml-1.1" });
  const key = specKey(document.contents);
  if (key !== undefined && comments.length > 0) key.commentBefore = comments.map(commentLine).join("\n");
  return document.toString({ lineWidth: 0 });
}

function specKey(contents: unknown): Scalar | undefined {
  if (!isMap(contents)) return undefined;
  return contents.items.map(({ key }) => key).find((key): key is Scalar => isScalar(key) && key.value === "spec");
}

/** Names and paths come from files, and a line break in one would end the comment. */
function commentLine(text: string): string {
  return ` ${text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ")}`;
}

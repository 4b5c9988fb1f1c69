import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, dirname, sep } from "node:path";

export interface SourceFile {
  /** Relative to the folder that was read, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
}

export interface ImportLine {
  readonly specifier: string;
  /** Relative to the same folder as the file; undefined for a package or a module of Node's. */
  readonly resolved: string | undefined;
  readonly isTypeOnly: boolean;
  /** Counts from 1. */
  readonly line: number;
}

/** Every file below a folder whose name ends in one of the endings; generated and installed code is left out. */
export function readSourceFiles(folder: string, endings: readonly string[]): readonly SourceFile[] {
  return listFiles(folder)
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => {
      const text = readFileSync(path, "utf8");
      return { path: relative(folder, path).split(sep).join("/"), text, lines: text.split("\n").length - 1 };
    });
}

const notOurs = new Set(["node_modules", "dist", "gen", ".git", "coverage"]);

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !notOurs.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? listFiles(path) : [path];
    });
}

/** Every folder below, by its path relative to `folder`. */
export function readFolders(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: false })
    .filter((entry) => entry.isDirectory() && !notOurs.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return [entry.name, ...readFolders(path).map((below) => `${entry.name}/${below}`)];
    });
}

const statement = /^[ \t]*(?:import|export)\b(?<type> type\b)?(?<names>[^"';]*?)\bfrom\s*"(?<from>[^"]+)"/gm;
const bare = /^[ \t]*import\s*"(?<bare>[^"]+)"/gm;
const dynamic = /\bimport\(\s*(?:"|`)(?<dynamic>[^"`]+)(?:"|`)/g;

/** The imports and re-exports of a file, dynamic ones and `import("...")` types among them. */
export function readImports(file: SourceFile): readonly ImportLine[] {
  const text = withoutComments(file.text);
  return [statement, bare, dynamic].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => {
      const groups = match.groups ?? {};
      const specifier = groups["from"] ?? groups["bare"] ?? groups["dynamic"] ?? "";
      return {
        specifier,
        resolved: specifier.startsWith(".") ? resolveFrom(file.path, specifier) : undefined,
        isTypeOnly: groups["type"] !== undefined || isTypesAlone(groups["names"]),
        line: text.slice(0, match.index).split("\n").length,
      };
    }),
  );
}

/** `{ type A, type B }` leaves nothing to import at run time. */
function isTypesAlone(names: string | undefined): boolean {
  const inside = /^\s*\{(?<list>[^}]*)\}\s*$/.exec(names ?? "")?.groups?.["list"];
  const list = (inside ?? "").split(",").filter((name) => name.trim() !== "");
  return list.length > 0 && list.every((name) => name.trim().startsWith("type "));
}

function resolveFrom(path: string, specifier: string): string {
  return relative(resolve("."), resolve(dirname(path), specifier))
    .split(sep)
    .join("/");
}

/** Blanks out comments but keeps line breaks, so that positions stay true. */
function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "))
    .replaceAll(/(^|\s)\/\/[^\n]*/g, "$1");
}

/** The code alone: no comment and no text in quotes, where a word means nothing. */
export function codeOf(file: SourceFile): string {
  return withoutComments(file.text)
    .replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replaceAll(/`[^`$]*`/g, "``");
}

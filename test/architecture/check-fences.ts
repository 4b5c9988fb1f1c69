import { fences, purity, type Fence } from "./fences.ts";
import { codeOf, readImports, type ImportLine, type SourceFile } from "./source-file.ts";

/** Every import that a fence forbids, each with the place and the sentence that it breaks. */
export function brokenFences(file: SourceFile): readonly string[] {
  const fence = fenceOf(file.path);
  if (fence === undefined) return [`src/${file.path} is in a folder without a fence: add it to the table.`];
  return readImports(file)
    .filter((line) => !isAllowed(fence, line))
    .map((line) => `src/${file.path}:${line.line} imports ${line.specifier}. ${sentenceBroken(fence, line)}`);
}

function fenceOf(path: string): Fence | undefined {
  return fences.filter((fence) => holds(fence.of, path)).toSorted((a, b) => b.of.length - a.of.length)[0];
}

function holds(place: string, path: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

function isAllowed(fence: Fence, line: ImportLine): boolean {
  const { resolved } = line;
  if (resolved === undefined) return isAllowedPackage(fence, line.specifier);
  const types = line.isTypeOnly ? (fence.mayImportTypesOf ?? []) : [];
  const open = longest([fence.of, ...fence.mayImport, ...types], resolved);
  return open > longest(fence.except ?? [], resolved);
}

/** The length of the longest of these places that holds a path; 0 where none does. */
function longest(places: readonly string[], path: string): number {
  return Math.max(0, ...places.filter((place) => holds(place, path)).map((place) => place.length));
}

function isAllowedPackage(fence: Fence, specifier: string): boolean {
  if (specifier.startsWith("node:")) return !fence.of.startsWith("core");
  return fence.packages === undefined || fence.packages.some((name) => holds(name, specifier));
}

/** An import into a fenced place may break that place's sentence rather than the importer's own. */
function sentenceBroken(fence: Fence, line: ImportLine): string {
  if (line.specifier.startsWith("node:")) return purity;
  const target = fences.find(({ of }) => of === "gen");
  const goesToGen = line.resolved !== undefined && holds("gen", line.resolved);
  return goesToGen && target !== undefined ? target.sentence : fence.sentence;
}

const impure = [
  { name: "await", pattern: /\bawait\b/ },
  { name: "async", pattern: /\basync\b(?!\s*:)/ },
  { name: "a clock", pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\b|\bhrtime\b|\bTemporal\.Now\b/ },
  { name: "randomness", pattern: /\bMath\.random\b|\bcrypto\.|\brandomUUID\b|\bgetRandomValues\b/ },
  { name: "a timer", pattern: /\bset(?:Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/ },
  { name: "the process", pattern: /\bprocess\.|\bconsole\.|\bfetch\(/ },
];

/** What makes a file of `core` depend on more than its arguments. */
export function impurities(file: SourceFile): readonly string[] {
  const code = codeOf(file);
  return impure
    .filter(({ pattern }) => pattern.test(code))
    .map(({ name }) => `src/${file.path} uses ${name}. ${purity}`);
}

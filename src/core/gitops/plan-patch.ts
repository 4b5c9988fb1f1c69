import type { SourceText } from "../manifest/manifest.ts";
import { hasSameShares, sharesOf } from "./compare-services.ts";
import { editWeights } from "./edit-weights.ts";
import { type GitService, readGitServices, type SkippedFile } from "./git-services.ts";
import type { LiveService } from "./live-services.ts";
import { renderPatch } from "./render-patch.ts";
import { applyEdits, type TextEdit } from "./text-edit.ts";

/** Files with the weights that are live. */
export interface GitPatch {
  readonly files: readonly PatchedFile[];
  /** What a person has to do, with the reason: templates, and rules that share an anchor with others. */
  readonly left: readonly SkippedFile[];
}

interface PatchedFile {
  readonly file: string;
  /** Rules whose weights it gets, as `namespace/name rule`. */
  readonly rules: readonly string[];
  readonly text: string;
  readonly patch: string;
}

export interface PatchQuestion {
  readonly sources: readonly SourceText[];
  readonly live: ReadonlyMap<string, LiveService>;
  readonly defaultNamespace: string;
  /** A file's path in the patch, relative to where it is applied. */
  readonly relative: (path: string) => string;
}

/** Every file is read again as it would be, and left to a person where that does not say what is live. */
export function planPatch({ sources, live, defaultNamespace, relative }: PatchQuestion): GitPatch {
  const { services, skipped } = readGitServices(sources, defaultNamespace);
  const left: SkippedFile[] = [...skipped];
  const files: PatchedFile[] = [];
  for (const source of sources) {
    const edits: TextEdit[] = [];
    const rules: string[] = [];
    for (const service of services.filter(({ file }) => file === source.path)) {
      for (const { edit, rule } of editService(source.text, service, { live, left })) {
        edits.push(...edit);
        rules.push(rule);
      }
    }
    if (edits.length === 0) continue;
    const text = applyEdits(source.text, edits);
    const wrong = findWrong({ ...source, text }, { live, defaultNamespace, rules });
    if (wrong !== undefined) left.push({ file: source.path, why: `${wrong} would not get its weights` });
    else files.push({ file: source.path, rules, text, patch: renderPatch(relative(source.path), source.text, edits) });
  }
  return { files, left };
}

function editService(
  text: string,
  service: GitService,
  { live, left }: { readonly live: PatchQuestion["live"]; readonly left: SkippedFile[] },
): readonly { readonly edit: readonly TextEdit[]; readonly rule: string }[] {
  const running = live.get(service.name);
  if (running === undefined) return [];
  const namespace = service.name.split("/")[0] ?? "";
  return service.rules.flatMap(({ key, label, node, written }) => {
    const rule = running.rules.get(key);
    if (rule === undefined || hasSameShares(sharesOf(written, namespace), sharesOf(rule, namespace))) {
      return [];
    }
    const edit = editWeights({ text, node, written, live: rule, namespace });
    if (typeof edit !== "string") return [{ edit, rule: `${service.name} ${key}` }];
    left.push({ file: service.file, why: `rule ${label} of ${service.name}: ${edit}` });
    return [];
  });
}

/** The first rule that the file would not give the live shares. */
function findWrong(
  source: SourceText,
  {
    live,
    defaultNamespace,
    rules,
  }: Pick<PatchQuestion, "live" | "defaultNamespace"> & { readonly rules: readonly string[] },
): string | undefined {
  const read = readGitServices([source], defaultNamespace);
  const right = new Set(
    read.services.flatMap(({ name, rules: own }) =>
      own.flatMap(({ key, written }) => {
        const namespace = name.split("/")[0] ?? "";
        const running = live.get(name)?.rules.get(key);
        const isRight =
          running !== undefined && hasSameShares(sharesOf(written, namespace), sharesOf(running, namespace));
        return isRight ? [`${name} ${key}`] : [];
      }),
    ),
  );
  return rules.find((rule) => !right.has(rule));
}

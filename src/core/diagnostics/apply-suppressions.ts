import { blocksServing, diagnostic, type Diagnostic } from "./diagnostic.ts";
import {
  canBeSilenced,
  ignoreAnnotation,
  parseSuppressions,
  type IgnoreAnnotation,
  type Suppression,
} from "./suppression.ts";

/** A finding that somebody knows of and accepts. */
export interface SuppressedFinding {
  readonly finding: Diagnostic;
  readonly suppression: Suppression;
}

export interface JudgedFindings {
  /** What is left, and what is wrong with the suppressions themselves at the end. */
  readonly shown: readonly Diagnostic[];
  readonly suppressed: readonly SuppressedFinding[];
}

/**
 * Takes out the findings that annotations silence. Each entry works for the object that carries it and no other, and
 * one that silences nothing is a finding (KIR1082), so that it does not outlive what it was written for.
 */
export function applySuppressions(
  findings: readonly Diagnostic[],
  annotations: readonly IgnoreAnnotation[],
): JudgedFindings {
  if (annotations.length === 0) return { shown: findings, suppressed: [] };
  const read = annotations.map(parseSuppressions);
  const byObject = Map.groupBy(
    read.flatMap(({ suppressions }) => suppressions),
    ({ resource }) => resource,
  );
  const used = new Set<Suppression>();
  const shown: Diagnostic[] = [];
  const suppressed: SuppressedFinding[] = [];
  for (const finding of findings) {
    const suppression = findSuppression(finding, byObject);
    if (suppression === undefined) {
      shown.push(finding);
    } else {
      used.add(suppression);
      suppressed.push({ finding, suppression });
    }
  }
  // Of an object that was not understood only that much is known.
  const misread = new Set(findings.filter(blocksServing).map(({ resource }) => resource));
  const unused = [...byObject.values()].flat().filter((found) => !used.has(found) && !misread.has(found.resource));
  return {
    shown: [...shown, ...read.flatMap(({ diagnostics }) => diagnostics), ...unused.map(tellUnused)],
    suppressed,
  };
}

function findSuppression(
  finding: Diagnostic,
  byObject: ReadonlyMap<string, readonly Suppression[]>,
): Suppression | undefined {
  if (finding.resource === undefined || !canBeSilenced(finding.code)) return undefined;
  return byObject
    .get(finding.resource)
    ?.find(({ code }) => code === finding.code || (finding.istioCode !== undefined && code === finding.istioCode));
}

function tellUnused({ code, resource, at }: Suppression): Diagnostic {
  const message = `${ignoreAnnotation} silences ${code}, but there is no such finding about this object.`;
  const hint = "Take the entry away, or put it on the object that the finding names.";
  return diagnostic("KIR1082", { message, hint, resource, at });
}

import type { DiagnosticCode } from "../diagnostics/catalogue.ts";
import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { type Position, renderPosition } from "../diagnostics/position.ts";
import { resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { HttpMatch, HttpRoute } from "../manifest/virtual-service.ts";
import { anyRequest } from "./any-request.ts";
import { CoverageIndex } from "./coverage-index.ts";
import { matchIdentity } from "./match-identity.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Rules and matches of one VirtualService that are never reached: those that istioctl sees, because they repeat an
 * earlier match or prolong its prefix (IST0130, IST0131), and those that it does not.
 * Source: Istio `pkg/config/validation/validation.go`, analyzeUnreachableHTTPRules.
 */
export function checkRuleOrder(mesh: Pick<Mesh, "virtualServices">): readonly Diagnostic[] {
  return mesh.virtualServices.flatMap((service) => {
    const found = known.get(service) ?? checkOneService(service);
    known.set(service, found);
    return found;
  });
}

/** What is wrong within a VirtualService stays wrong until it changes, and of thousands one changes at a time. */
const known = new WeakMap<VirtualServiceManifest, readonly Diagnostic[]>();

/** What stands before a rule. */
interface Earlier {
  readonly rules: CoverageIndex;
  readonly identities: Map<string, HttpMatch>;
  /** The first rule that takes every request because it has no match at all. */
  open: HttpRoute | undefined;
}

function checkOneService(service: VirtualServiceManifest): readonly Diagnostic[] {
  const earlier: Earlier = { rules: new CoverageIndex(), identities: new Map(), open: undefined };
  return service.spec.http.flatMap((rule, index) => {
    const subject = { service, rule, name: ruleName(rule, index) };
    const findings =
      earlier.open === undefined ? checkRule(subject, earlier) : [reportAfterOpen(subject, earlier.open)];
    addRule(rule, earlier);
    return findings;
  });
}

interface RuleSubject {
  readonly service: VirtualServiceManifest;
  readonly rule: HttpRoute;
  readonly name: string;
}

/** What a rule does not take itself, because its delegate has no match for it, goes on to the next rule. */
function addRule(rule: HttpRoute, earlier: Earlier): void {
  for (const match of rule.match) {
    const identity = matchIdentity(match);
    earlier.identities.set(identity, earlier.identities.get(identity) ?? match);
  }
  if (rule.action.kind === "delegate") {
    return;
  }
  for (const match of conditionsOf(rule)) {
    earlier.rules.add(match);
  }
  earlier.open ??= rule.match.length === 0 ? rule : undefined;
}

/** Why a match takes nothing. */
interface Cover {
  readonly match: HttpMatch;
  readonly by: HttpMatch;
  readonly kind: "repeated" | "prolonged" | "covered";
  readonly from: "earlierRule" | "sameRule";
}

function checkRule({ service, rule, name }: RuleSubject, earlier: Earlier): readonly Diagnostic[] {
  const covers = findCovers(rule, earlier);
  const conditions = conditionsOf(rule);
  const [first] = covers;
  const isRepeated =
    rule.match.length > 0 && covers.filter(({ kind }) => kind === "repeated").length === conditions.length;
  const isCovered = covers.filter(({ from }) => from === "earlierRule").length === conditions.length;
  const findings = covers
    .filter(({ kind }) => kind !== "covered" || !isCovered)
    .map((cover) => reportCover(service, cover));
  if (first === undefined || !(isRepeated || isCovered)) {
    return findings;
  }
  const message = `Rule ${name} is never reached: ${renderPosition(first.by.at)} takes its requests first.`;
  const hint = "Put the rule with the narrower match first, or take this one away.";
  return [...findings, finding(isRepeated ? "KIR1026" : "KIR1221", service, { message, hint, at: rule.at })];
}

function findCovers(rule: HttpRoute, earlier: Earlier): readonly Cover[] {
  const before = new CoverageIndex();
  const identities = new Map<string, HttpMatch>();
  return conditionsOf(rule).flatMap((match) => {
    const identity = matchIdentity(match);
    const repeated =
      rule.match.length === 0 ? undefined : (earlier.identities.get(identity) ?? identities.get(identity));
    const covering = earlier.rules.findCover(match);
    const by = repeated ?? covering ?? before.findCover(match);
    identities.set(identity, match);
    before.add(match);
    if (by === undefined) {
      return [];
    }
    const from = earlier.identities.has(identity) || covering !== undefined ? "earlierRule" : "sameRule";
    const kind = repeated === undefined ? (isProlonged(by, match) ? "prolonged" : "covered") : "repeated";
    return [{ match, by, kind, from }];
  });
}

/** The overlap that istioctl looks for: a longer prefix with the same other conditions. */
function isProlonged(by: HttpMatch, match: HttpMatch): boolean {
  const records = ["headers", "withoutHeaders", "queryParams"] as const;
  return (
    by.uri?.kind === "prefix" &&
    match.uri?.kind === "prefix" &&
    by.uri.value !== match.uri.value &&
    by.port === match.port &&
    records.every((name) => Object.keys(by[name]).length === Object.keys(match[name]).length) &&
    (by.method !== undefined ||
      match.method === undefined ||
      match.method.kind !== "exact" ||
      match.method.value === "GET")
  );
}

/** A rule without conditions takes everything, like one whose only condition is empty. */
export function conditionsOf(rule: HttpRoute): readonly HttpMatch[] {
  return rule.match.length > 0 ? rule.match : [anyRequest(rule.at)];
}

function reportCover(service: VirtualServiceManifest, { match, by, kind }: Cover): Diagnostic {
  return finding(kind === "covered" ? "KIR1222" : "KIR1027", service, {
    message: `This match takes nothing: ${renderPosition(by.at)} takes its requests first.`,
    at: match.at,
  });
}

function reportAfterOpen({ service, rule, name }: RuleSubject, open: HttpRoute): Diagnostic {
  return finding("KIR1026", service, {
    message: `Rule ${name} is never reached: the rule at ${renderPosition(open.at)} has no match and takes every request.`,
    hint: "Put the rule without a match last.",
    at: rule.at,
  });
}

/** How messages call a rule: by its name where it has one, and by its number. */
export function ruleName(rule: HttpRoute, index: number): string {
  return rule.name === undefined ? `spec.http[${index}]` : `"${rule.name}" (spec.http[${index}])`;
}

function finding(
  code: DiagnosticCode,
  service: VirtualServiceManifest,
  text: { readonly message: string; readonly hint?: string; readonly at: Position },
): Diagnostic {
  return diagnostic(code, { ...text, resource: resourceName(service) });
}

import type { DiagnosticCode } from "../diagnostics/catalogue.ts";
import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { type Position, renderPosition } from "../diagnostics/position.ts";
import { resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { HttpMatch, HttpRoute } from "../manifest/virtual-service.ts";
import { CoverageIndex } from "./coverage-index.ts";
import type { Mesh } from "./mesh.ts";

/** Rules and matches of one VirtualService that are never reached (IST0130, IST0131), and prefixes without a boundary. */
export function checkRuleOrder(mesh: Mesh): readonly Diagnostic[] {
  return mesh.virtualServices.flatMap((service) => [...checkOneService(service), ...checkPrefixes(service)]);
}

function checkOneService(service: VirtualServiceManifest): readonly Diagnostic[] {
  const earlier = new CoverageIndex();
  const diagnostics: Diagnostic[] = [];
  for (const [index, rule] of service.spec.http.entries()) {
    const conditions = conditionsOf(rule);
    const before = new CoverageIndex();
    const fromEarlier = conditions.map((match) => earlier.findCover(match));
    const covers = conditions.map((match, place) => {
      const cover = fromEarlier[place] ?? before.findCover(match);
      before.add(match);
      return cover;
    });
    const isUnreachable = fromEarlier.every((cover) => cover !== undefined);
    const [first] = covers;
    if (isUnreachable && first !== undefined) {
      diagnostics.push(
        finding("KIR1026", service, {
          message: `Rule ${ruleName(rule, index)} is never reached: ${renderPosition(first.at)} takes its requests first.`,
          at: rule.at,
        }),
      );
    } else {
      diagnostics.push(...reportIneffective(service, conditions, covers));
    }
    for (const match of conditions) {
      earlier.add(match);
    }
  }
  return diagnostics;
}

/** A rule without conditions takes everything, like one whose only condition is empty. */
export function conditionsOf(rule: HttpRoute): readonly HttpMatch[] {
  return rule.match.length > 0 ? rule.match : [anyRequest(rule.at)];
}

function anyRequest(at: Position): HttpMatch {
  return {
    name: undefined,
    uri: undefined,
    ignoreUriCase: false,
    scheme: undefined,
    method: undefined,
    authority: undefined,
    headers: {},
    withoutHeaders: {},
    queryParams: {},
    port: undefined,
    gateways: [],
    sourceLabels: {},
    sourceNamespace: undefined,
    statPrefix: undefined,
    at,
  };
}

function reportIneffective(
  service: VirtualServiceManifest,
  conditions: readonly HttpMatch[],
  covers: readonly (HttpMatch | undefined)[],
): readonly Diagnostic[] {
  return conditions.flatMap((match, index) => {
    const cover = covers[index];
    return cover === undefined
      ? []
      : [
          finding("KIR1027", service, {
            message: `This match takes nothing: ${renderPosition(cover.at)} takes its requests first.`,
            at: match.at,
          }),
        ];
  });
}

function checkPrefixes(service: VirtualServiceManifest): readonly Diagnostic[] {
  return service.spec.http.flatMap((rule) =>
    rule.match.flatMap(({ uri, at }) =>
      uri?.kind === "prefix" && uri.value !== "" && !uri.value.endsWith("/")
        ? [
            finding("KIR1036", service, {
              message: `The prefix "${uri.value}" also takes paths such as "${uri.value}-other".`,
              hint: `To take only the path and what is below it, match exact "${uri.value}" and prefix "${uri.value}/".`,
              at,
            }),
          ]
        : [],
    ),
  );
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

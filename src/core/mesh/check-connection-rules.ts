import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderPosition } from "../diagnostics/position.ts";
import { resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { ConnectionMatch, TcpRoute, TlsRoute } from "../manifest/virtual-service.ts";
import { matchIdentity } from "./match-identity.ts";
import type { Mesh } from "./mesh.ts";

/**
 * TCP and TLS rules of one VirtualService that repeat an earlier match (IST0131), or nothing else (IST0130).
 * Source: Istio `pkg/config/validation/validation.go`, analyzeUnreachableTCPRules and analyzeUnreachableTLSRules.
 */
export function checkConnectionRules(mesh: Pick<Mesh, "virtualServices">): readonly Diagnostic[] {
  return mesh.virtualServices.flatMap((service) => [
    ...checkRules(service, "tcp", service.spec.tcp),
    ...checkRules(service, "tls", service.spec.tls),
  ]);
}

function checkRules(
  service: VirtualServiceManifest,
  field: "tcp" | "tls",
  rules: readonly (TcpRoute | TlsRoute)[],
): readonly Diagnostic[] {
  const seen = new Map<string, ConnectionMatch>();
  const resource = resourceName(service);
  let open: TcpRoute | TlsRoute | undefined;
  return rules.flatMap((rule, index) => {
    const subject = `Rule spec.${field}[${index}]`;
    if (open !== undefined) {
      const message = `${subject} is never reached: the rule at ${renderPosition(open.at)} has no match and takes every connection.`;
      return [diagnostic("KIR1026", { message, hint: "Put the rule without a match last.", resource, at: rule.at })];
    }
    open = rule.match.length === 0 ? rule : undefined;
    const repeated = rule.match.flatMap((match) => {
      const identity = matchIdentity(match);
      const first = seen.get(identity);
      seen.set(identity, first ?? match);
      return first === undefined ? [] : [{ match, first }];
    });
    const findings = repeated.map(({ match, first }) =>
      diagnostic("KIR1027", {
        message: `This match takes nothing: ${renderPosition(first.at)} takes its connections first.`,
        resource,
        at: match.at,
      }),
    );
    if (repeated.length === 0 || repeated.length < rule.match.length) {
      return findings;
    }
    const message = `${subject} is never reached: earlier rules have all of its matches.`;
    return [...findings, diagnostic("KIR1026", { message, resource, at: rule.at })];
  });
}

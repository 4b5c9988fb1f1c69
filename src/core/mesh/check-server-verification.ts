import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import type { ClientTls } from "../manifest/destination-rule.ts";
import { type DestinationRuleManifest, resourceName } from "../manifest/manifest.ts";
import type { Mesh } from "./mesh.ts";

/**
 * TLS to destinations that believes whoever answers (IST0128, and IST0129 for one port).
 * Source: Istio `pkg/config/analysis/analyzers/destinationrule/ca-certificates.go`.
 */
export function checkServerVerification(mesh: Pick<Mesh, "destinationRules">): readonly Diagnostic[] {
  return mesh.destinationRules.flatMap((rule) => {
    const { trafficPolicy } = rule.spec;
    const whole = trafficPolicy?.tls;
    const ports = trafficPolicy?.portLevelSettings ?? [];
    return [
      ...(isUnverified(whole, rule) ? [report("KIR1214", rule, { tls: whole, scope: "" })] : []),
      ...ports.flatMap(({ port, tls }) =>
        isUnverified(tls, rule) ? [report("KIR1215", rule, { tls, scope: ` on port ${port}` })] : [],
      ),
    ];
  });
}

/** A Secret can bring the CA, and is read where the DestinationRule says for which clients it is. */
function isUnverified(tls: ClientTls | undefined, { spec }: DestinationRuleManifest): tls is ClientTls {
  const usesSecret = (tls?.credentialName ?? "") !== "" && spec.workloadSelector !== undefined;
  return (tls?.mode === "SIMPLE" || tls?.mode === "MUTUAL") && (tls.caCertificates ?? "") === "" && !usesSecret;
}

function report(
  code: "KIR1214" | "KIR1215",
  rule: DestinationRuleManifest,
  { tls, scope }: { readonly tls: ClientTls; readonly scope: string },
): Diagnostic {
  return diagnostic(code, {
    message: `TLS (${tls.mode}) to "${rule.spec.host}"${scope} names no caCertificates, so the certificate of whoever answers may not be verified.`,
    hint: "Name caCertificates, such as system for the CAs of the proxy's image, and subjectAltNames.",
    resource: resourceName(rule),
    at: tls.at,
  });
}

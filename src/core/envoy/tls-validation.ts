import {
  type CertificateValidationContextSchema,
  type SubjectAltNameMatcherSchema,
  SubjectAltNameMatcher_SanType as SanType,
} from "../../gen/envoy/extensions/transport_sockets/tls/v3/common_pb.ts";
import type { CommonTlsContextSchema } from "../../gen/envoy/extensions/transport_sockets/tls/v3/tls_pb.ts";
import type { SecretId } from "../routes/route-table-tls.ts";
import type { Init } from "./init.ts";
import { emitSecretSource } from "./secrets.ts";

type ValidationInit = NonNullable<Init<typeof CommonTlsContextSchema>["validationContextType"]>;

export interface TrustConditions {
  /** One of these must be in the certificate; empty takes all. */
  readonly names: readonly string[];
  readonly spkiHashes?: readonly string[];
  readonly certificateHashes?: readonly string[];
}

/** Emits how the other side's certificate is verified: with a list that comes as a secret, and by what is in it. */
export function emitTrust(trust: SecretId, conditions: TrustConditions): ValidationInit {
  const { names, spkiHashes = [], certificateHashes = [] } = conditions;
  const own: Init<typeof CertificateValidationContextSchema> = {
    matchTypedSubjectAltNames: names.flatMap(emitNameMatchers),
    verifyCertificateSpki: [...spkiHashes],
    verifyCertificateHash: [...certificateHashes],
  };
  return {
    case: "combinedValidationContext",
    value: { defaultValidationContext: own, validationContextSdsSecretConfig: emitSecretSource(trust) },
  };
}

/** Manifests do not say of which kind a name is, so that it may stand in the certificate as any of them. */
function emitNameMatchers(name: string): Init<typeof SubjectAltNameMatcherSchema>[] {
  return [SanType.DNS, SanType.URI, SanType.IP_ADDRESS, SanType.EMAIL].map((sanType) => ({
    sanType,
    matcher: { matchPattern: { case: "exact" as const, value: name } },
  }));
}

import { issueCertificate as issue } from "../src/webhook/issue-certificate.ts";

/** A certificate with its key, both in PEM. */
export interface IssuedCertificate {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** The common name of its owner. */
  readonly name: string;
  /** DNS names that it is good for. */
  readonly hosts?: readonly string[];
  /** URIs that it is good for. */
  readonly uris?: readonly string[];
  /** Who signs it; undefined for one that signs itself and others. */
  readonly issuer?: IssuedCertificate;
  /** From when and until when it holds; an hour before and a day after now where it is not given. */
  readonly validity?: readonly [from: Date, until: Date];
}

const hourMs = 3_600_000;

/** Issues a certificate with a fresh P-256 key, as the webhook does for itself. */
export function issueCertificate(request: CertificateRequest): IssuedCertificate {
  const validity = request.validity ?? [new Date(Date.now() - hourMs), new Date(Date.now() + 24 * hourMs)];
  return { name: request.name, ...issue({ ...request, validity }) };
}

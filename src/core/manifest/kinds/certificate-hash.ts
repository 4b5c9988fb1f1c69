import { refine } from "../decode/collections.ts";
import { string } from "../decode/scalars.ts";

/**
 * The SHA-256 of a certificate: 64 hexadecimal digits, or pairs of them with colons between. Istio takes any text, and
 * Envoy then refuses the listener with all that it serves.
 * Source: Envoy api/envoy/extensions/transport_sockets/tls/v3/common.proto, verify_certificate_hash.
 */
export const certificateHash = refine(string, (text) =>
  /^(?:[0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i.test(text)
    ? undefined
    : "must be the SHA-256 of a certificate in hexadecimal digits",
);

/** The SHA-256 of a public key in base64: 32 bytes are 43 digits and a sign of the end. */
export const spkiHash = refine(string, (text) =>
  /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text) ? undefined : "must be the SHA-256 of a public key in base64",
);

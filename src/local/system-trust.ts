import { getCACertificates } from "node:tls";

let known: Uint8Array | undefined;

/** The certificates that this machine trusts, in PEM; undefined where it trusts none. */
export function readSystemTrust(): Uint8Array | undefined {
  known ??= Buffer.from(getCACertificates("system").join("\n"));
  return known.length === 0 ? undefined : known;
}

/** What Istio lets through to Envoy's list. Source: Istio `pkg/config/security/security.go`; names are BoringSSL's. */
const known: ReadonlySet<string> = new Set([
  "AES128-GCM-SHA256",
  "AES128-SHA",
  "AES256-GCM-SHA384",
  "AES256-SHA",
  "DES-CBC3-SHA",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES128-SHA",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES256-SHA",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-SHA",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-SHA",
  "ECDHE-RSA-CHACHA20-POLY1305",
]);

/** True for a known name, for `ALL`, and for an expression such as `[A|B]` or `-A`, which BoringSSL reads itself. */
export function isCipherSuite(name: string): boolean {
  return name === "" || name === "ALL" || !/^[\p{L}\p{N}]/u.test(name) || known.has(name);
}

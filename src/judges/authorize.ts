import type { Authentication, SecretSource } from "../core/manifest/release.ts";

export type ReadSecret = (source: SecretSource) => Promise<string>;

/** The header that proves who asks (RFC 7617, RFC 6750); none where nobody has to. Rejects where the secret is not there. */
export async function authorize(
  authentication: Authentication | undefined,
  readSecret: ReadSecret,
): Promise<Readonly<Record<string, string>>> {
  if (authentication === undefined) return {};
  if (authentication.kind === "bearer") return { authorization: `Bearer ${await readSecret(authentication.token)}` };
  const pair = `${authentication.username}:${await readSecret(authentication.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}

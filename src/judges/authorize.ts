import type { Authentication, SecretSource } from "../core/manifest/release.ts";

export type ReadSecret = (source: SecretSource) => Promise<string>;

/** What proves who asks. */
export interface Proof {
  readonly headers: Readonly<Record<string, string>>;
  /** A server can send back what it was sent; what is told of its answer goes through this first. */
  hide(text: string): string;
}

/** The header that proves who asks (RFC 7617, RFC 6750); none where nobody has to. Rejects where the secret is not there. */
export async function authorize(authentication: Authentication | undefined, readSecret: ReadSecret): Promise<Proof> {
  if (authentication === undefined) return { headers: {}, hide: (text) => text };
  if (authentication.kind === "bearer") {
    const token = await readSecret(authentication.token);
    return { headers: { authorization: `Bearer ${token}` }, hide: hider([token]) };
  }
  const password = await readSecret(authentication.password);
  const credentials = Buffer.from(`${authentication.username}:${password}`).toString("base64");
  return { headers: { authorization: `Basic ${credentials}` }, hide: hider([credentials, password]) };
}

function hider(secrets: readonly string[]): Proof["hide"] {
  return (text) => secrets.reduce((hidden, secret) => hidden.replaceAll(secret, "(secret)"), text);
}

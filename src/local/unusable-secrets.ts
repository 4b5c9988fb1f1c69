import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Secret, SecretData, SecretId } from "../core/routes/route-table-tls.ts";
import { systemErrorCode } from "./system-error.ts";

/**
 * Finds the secrets that Envoy would refuse, with the reason in plain words, to follow "because"; one of them would
 * keep everything else from being taken. Nothing of a secret is in the reason.
 * Source: Envoy source/common/tls/context_impl.cc, and BoringSSL's reading of PEM.
 */
export async function findUnusableSecrets(secrets: Iterable<Secret>): Promise<ReadonlyMap<SecretId, Unusable>> {
  const unusable = new Map<SecretId, Unusable>();
  for (const secret of secrets) {
    const complaint = await complain(secret);
    if (complaint !== undefined) unusable.set(secret.id, complaint);
  }
  return unusable;
}

/** Why a secret cannot be used; `absent` is a file that is not on this machine, and may well be where it belongs. */
export interface Unusable {
  readonly kind: "absent" | "broken";
  /** Plain words, to follow "because". */
  readonly reason: string;
}

async function complain(secret: Secret): Promise<Unusable | undefined> {
  switch (secret.kind) {
    case "certificate": {
      const [chain, key] = await Promise.all([read(secret.chain), read(secret.key)]);
      if (typeof chain !== "string") return chain;
      if (typeof key !== "string") return key;
      return broken(complainCertificate(chain, key));
    }
    case "trust": {
      const ca = await read(secret.ca);
      const revocations = secret.revocations && (await read(secret.revocations));
      if (typeof ca !== "string") return ca;
      if (revocations !== undefined && typeof revocations !== "string") return revocations;
      return broken(complainTrust(ca, revocations));
    }
  }
}

function broken(reason: string | undefined): Unusable | undefined {
  return reason === undefined ? undefined : { kind: "broken", reason };
}

async function read(data: SecretData): Promise<string | Unusable> {
  if (data.kind === "inline") return Buffer.from(data.bytes).toString("latin1");
  try {
    return await readFile(data.path, "latin1");
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const reason = code === "ENOENT" ? "does not exist on this machine" : `cannot be read (${code})`;
    return { kind: "absent", reason: `the file ${data.path} ${reason}` };
  }
}

function complainCertificate(chain: string, key: string): string | undefined {
  const certificates = parseCertificates(chain);
  const [own] = certificates ?? [];
  if (own === undefined) return "the certificate is not PEM that can be read";
  const privateKey = parseKey(key);
  if (privateKey === undefined) return "the private key is not PEM that can be read, or has a password";
  const weakness = complainKey(own.publicKey);
  if (weakness !== undefined) return weakness;
  return own.checkPrivateKey(privateKey) ? undefined : "the private key is not that of the certificate";
}

function complainTrust(ca: string, revocations: string | undefined): string | undefined {
  if (parseCertificates(ca) === undefined) return "the CA certificates are not PEM that can be read";
  if (revocations === undefined || /-----BEGIN X509 CRL-----\s[\s\S]+-----END X509 CRL-----/.test(revocations)) {
    return undefined;
  }
  return "the list of revoked certificates is not PEM that can be read";
}

/** Envoy takes RSA keys of 2048 bits and more, and keys on three curves. */
function complainKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve = "" } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === "rsa") {
    return modulusLength < 2048 ? `its RSA key has ${modulusLength} bits, and 2048 are the least` : undefined;
  }
  if (asymmetricKeyType !== "ec") return "its key is neither RSA nor ECDSA";
  return ["prime256v1", "secp384r1", "secp521r1"].includes(namedCurve)
    ? undefined
    : `its key is on the curve ${namedCurve}, and P-256, P-384 and P-521 are taken`;
}

const certificateBlock =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Undefined when there is none, or one of them cannot be read. */
function parseCertificates(text: string): readonly X509Certificate[] | undefined {
  const blocks = text.match(certificateBlock) ?? [];
  const certificates = blocks.map((block) => attempt(() => new X509Certificate(block)));
  const found = certificates.filter((certificate) => certificate !== undefined);
  return found.length === 0 || found.length < certificates.length ? undefined : found;
}

function parseKey(text: string): KeyObject | undefined {
  return attempt(() => createPrivateKey(text));
}

/** OpenSSL's errors have codes; they are all that reading can end in beside a type of our own mistake. */
function attempt<Value>(parse: () => Value): Value | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

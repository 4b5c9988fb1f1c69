import { createPrivateKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Secret, SecretData } from "../core/routes/route-table-tls.ts";
import { issueCertificate } from "../../test/certificates.fixture.ts";
import { temporaryFolder } from "../../test/temporary-folder.ts";
import { findUnusableSecrets } from "./unusable-secrets.ts";

const authority = issueCertificate({ name: "authority" });
const own = issueCertificate({ name: "own", issuer: authority });
const other = issueCertificate({ name: "other", issuer: authority });
const inline = (text: string): SecretData => ({ kind: "inline", bytes: Buffer.from(text) });

function certificate(chain: string, key: string): Secret {
  return { id: "c", kind: "certificate", chain: inline(chain), key: inline(key) };
}

function trust(ca: string, revocations?: string): Secret {
  return {
    id: "t",
    kind: "trust",
    ca: inline(ca),
    revocations: revocations === undefined ? undefined : inline(revocations),
  };
}

async function reasonFor(secret: Secret): Promise<string | undefined> {
  return (await findUnusableSecrets([secret])).get(secret.id)?.reason;
}

test("what Envoy takes is usable", async () => {
  expect(await reasonFor(certificate(own.certificate, own.key))).toBeUndefined();
  expect(await reasonFor(certificate(own.certificate + authority.certificate, own.key))).toBeUndefined();
  expect(await reasonFor(trust(authority.certificate + other.certificate))).toBeUndefined();
});

test.each([
  ["a key of another certificate", certificate(own.certificate, other.key), "not that of the certificate"],
  ["no certificate", certificate("nothing", own.key), "the certificate is not PEM"],
  ["no key", certificate(own.certificate, "nothing"), "the private key is not PEM"],
  [
    "a broken second certificate",
    certificate(`${own.certificate}${mangle(authority.certificate)}`, own.key),
    "not PEM",
  ],
  ["a key with a password", certificate(own.certificate, lock(own.key)), "or has a password"],
  ["no CA", trust(""), "CA certificates are not PEM"],
  ["a broken list of revoked certificates", trust(authority.certificate, "nothing"), "list of revoked certificates"],
])("%s is not", async (_name, secret, reason) => {
  expect(await reasonFor(secret)).toContain(reason);
});

test("a file that is not here is told apart from one that is broken", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "tls.crt");
  await writeFile(path, own.certificate);
  const secret = (chain: string): Secret => ({
    id: "f",
    kind: "certificate",
    chain: { kind: "file", path: chain },
    key: inline(own.key),
  });
  expect((await findUnusableSecrets([secret(path)])).size).toBe(0);
  const missing = await findUnusableSecrets([secret(join(folder.path, "none"))]);
  expect(missing.get("f")).toMatchObject({ kind: "absent", reason: expect.stringContaining("does not exist") });
});

function mangle(pem: string): string {
  return pem.replace(/\n[A-Za-z0-9+/]{20}/, "\nAAAAAAAAAAAAAAAAAAAA");
}

function lock(key: string): string {
  return createPrivateKey(key).export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p" });
}

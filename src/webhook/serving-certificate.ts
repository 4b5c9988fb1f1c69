import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { errorText } from "../core/diagnostics/error-text.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";

/** What the webhook shows to the API server, in PEM. */
export interface ServingCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** @throws KirikaeError KIR4091 where the two are no certificate and its key; it quotes neither. */
export function checkCertificate({ certificate, key }: ServingCertificate, from: string): void {
  try {
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return;
  } catch (error) {
    // Whatever OpenSSL says of the bytes tells a reader nothing that the sentence below does not.
    if (!(error instanceof Error)) throw error;
  }
  throw new KirikaeError("KIR4091", `${from} holds no certificate with its key.`, {
    exitStatus: 2,
    hint: "Give both in PEM, the key in PKCS #8 or SEC 1 and without a passphrase.",
  });
}

export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** @throws KirikaeError KIR4091 */
export async function readCertificateFiles({
  certificateFile,
  keyFile,
}: CertificateFiles): Promise<ServingCertificate> {
  const [certificate, key] = await Promise.all([readPem(certificateFile), readPem(keyFile)]);
  checkCertificate({ certificate, key }, `${certificateFile} with ${keyFile}`);
  return { certificate, key };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new KirikaeError("KIR4091", `${file} cannot be read: ${errorText(error)}.`, {
      exitStatus: 2,
      hint: "Give files that are there, or none: kirikae keeps a certificate of its own then.",
      cause: error,
    });
  }
}

export interface FollowOptions {
  /** Undefined while there is none. */
  readonly read: () => Promise<ServingCertificate | undefined>;
  readonly use: (certificate: ServingCertificate) => void;
  /** How often it is looked at: mounted files change without a word, and so do Secrets. */
  readonly everyMs: number;
  readonly onNote: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Takes each new certificate as soon as it is seen, until the signal. What cannot be read leaves the one before in use. */
export async function followCertificate({ read, use, everyMs, onNote, signal }: FollowOptions): Promise<void> {
  let current: string | undefined;
  let said: string | undefined;
  while (!signal.aborted) {
    try {
      const found = await read();
      if (found !== undefined && found.certificate !== current) {
        use(found);
        current = found.certificate;
      }
      said = undefined;
    } catch (error) {
      if (!(error instanceof KirikaeError)) throw error;
      // Once is enough for a fault that lasts.
      if (said !== error.message) onNote(`The webhook keeps the certificate it has: ${error.message}`);
      said = error.message;
    }
    await pause(current === undefined ? Math.min(everyMs, 1_000) : everyMs, signal);
  }
}

/** Ends early, and without an exception, at the signal. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal, ref: false });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

import { createPrivateKey, createSign, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { isIPv4 } from "node:net";

/** A certificate with its key, both in PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
}

export interface CertificateRequest {
  /** The common name of its owner. */
  readonly name: string;
  /** DNS names and IPv4 addresses that it is good for. */
  readonly hosts?: readonly string[];
  /** URIs that it is good for. */
  readonly uris?: readonly string[];
  /** Who signs it, with the common name there; undefined for one that signs itself and others. */
  readonly issuer?: IssuedCertificate & { readonly name: string };
  readonly validity: readonly [from: Date, until: Date];
}

/**
 * Issues a certificate (RFC 5280) with a fresh P-256 key. It is written here, because Node reads X.509 and cannot write it,
 * and the one package that could brings fifteen others for these few fields; Go's and Node's own TLS hold it to the
 * standard in tests.
 */
export function issueCertificate(request: CertificateRequest): IssuedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const { issuer } = request;
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const body = writeBody(request, publicKey, issuer?.name ?? request.name);
  const signature = createSign("sha256").update(body).sign(signer);
  const certificate = sequence(body, sequence(ecdsaWithSha256), bits(signature));
  return {
    certificate: toPem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

/** Object identifiers, with tag and length. */
const ecdsaWithSha256 = Buffer.from("06082a8648ce3d040302", "hex");
const commonName = Buffer.from("0603550403", "hex");
const subjectAltName = Buffer.from("0603551d11", "hex");
const basicConstraints = Buffer.from("0603551d13", "hex");

function writeBody(request: CertificateRequest, publicKey: KeyObject, issuer: string): Buffer {
  const [from, until] = request.validity;
  return sequence(
    tag(0xa0, integer(Buffer.from([2]))),
    // Positive, and with more bits than anybody could guess.
    integer(Buffer.concat([Buffer.from([1]), randomBytes(12)])),
    sequence(ecdsaWithSha256),
    distinguishedName(issuer),
    sequence(time(from), time(until)),
    distinguishedName(request.name),
    publicKey.export({ type: "spki", format: "der" }),
    tag(0xa3, sequence(...extensions(request))),
  );
}

function extensions({ hosts = [], uris = [], issuer }: CertificateRequest): Buffer[] {
  const names = [...hosts.map(hostName), ...uris.map((uri) => tag(0x86, Buffer.from(uri)))];
  const isAuthority = issuer === undefined;
  return [
    ...(names.length === 0 ? [] : [sequence(subjectAltName, tag(0x04, sequence(...names)))]),
    sequence(basicConstraints, tag(0x04, sequence(...(isAuthority ? [tag(0x01, Buffer.from([0xff]))] : [])))),
  ];
}

function hostName(host: string): Buffer {
  return isIPv4(host) ? tag(0x87, Buffer.from(host.split(".").map(Number))) : tag(0x82, Buffer.from(host));
}

function distinguishedName(name: string): Buffer {
  return sequence(tag(0x31, sequence(commonName, tag(0x0c, Buffer.from(name)))));
}

/** Two digits of the year until 2049 and four from then on (RFC 5280, section 4.1.2.5). */
function time(date: Date): Buffer {
  const text = date.toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050 ? tag(0x17, Buffer.from(text.slice(2))) : tag(0x18, Buffer.from(text));
}

function integer(value: Buffer): Buffer {
  return tag(0x02, value);
}

function bits(value: Buffer): Buffer {
  return tag(0x03, Buffer.concat([Buffer.from([0]), value]));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts));
}

/** A value in DER: its tag, its length, itself. */
function tag(number: number, value: Buffer): Buffer {
  const { length } = value;
  const digits = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([number, ...digits]), value]);
}

function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

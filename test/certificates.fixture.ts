import { createPrivateKey, createSign, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";

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

/** Issues a certificate with a fresh P-256 key. It is written by hand, because Node reads X.509 and cannot write it. */
export function issueCertificate(request: CertificateRequest): IssuedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const { issuer } = request;
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const body = writeBody(request, publicKey, issuer?.name ?? request.name);
  const signature = createSign("sha256").update(body).sign(signer);
  const certificate = sequence(body, sequence(ecdsaWithSha256), bits(signature));
  return {
    name: request.name,
    certificate: toPem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
  };
}

const ecdsaWithSha256 = Buffer.from("06082a8648ce3d040302", "hex");
const commonName = Buffer.from("0603550403", "hex");
const subjectAltName = Buffer.from("0603551d11", "hex");
const basicConstraints = Buffer.from("0603551d13", "hex");

function writeBody(request: CertificateRequest, publicKey: KeyObject, issuer: string): Buffer {
  const [from, until] = request.validity ?? [new Date(Date.now() - hourMs), new Date(Date.now() + 24 * hourMs)];
  return sequence(
    tag(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sequence(ecdsaWithSha256),
    distinguishedName(issuer),
    sequence(time(from), time(until)),
    distinguishedName(request.name),
    publicKey.export({ type: "spki", format: "der" }),
    tag(0xa3, sequence(...extensions(request))),
  );
}

function extensions({ hosts = [], uris = [], issuer }: CertificateRequest): Buffer[] {
  const names = [
    ...hosts.map((host) => tag(0x82, Buffer.from(host))),
    ...uris.map((uri) => tag(0x86, Buffer.from(uri))),
  ];
  const isAuthority = issuer === undefined;
  return [
    ...(names.length === 0 ? [] : [sequence(subjectAltName, tag(0x04, sequence(...names)))]),
    sequence(basicConstraints, tag(0x04, sequence(...(isAuthority ? [tag(0x01, Buffer.from([0xff]))] : [])))),
  ];
}

function distinguishedName(name: string): Buffer {
  return sequence(tag(0x31, sequence(commonName, tag(0x0c, Buffer.from(name)))));
}

function time(date: Date): Buffer {
  // Two digits of the year, as RFC 5280 wants until 2049.
  const text = date
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, "")
    .slice(2);
  return tag(0x17, Buffer.from(text));
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

/** What matters of an X.509 certificate here; who signed it is the clients' affair. */
export interface Certificate {
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** Its DNS names (subjectAltName) in lower case, wildcards as `*.example.com`. */
  readonly dnsNames: readonly string[];
}

/**
 * The certificates of a PEM text, in its order; undefined when there is none or one cannot be read.
 * Source: RFC 7468 for the text, RFC 5280 section 4.1 for what is in it.
 */
export function readCertificates(pem: Uint8Array): readonly Certificate[] | undefined {
  const text = new TextDecoder().decode(pem);
  const blocks = [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g)];
  const certificates = blocks.map(([, body = ""]) => readCertificate(body.replaceAll(/\s/g, "")));
  const usable = certificates.filter((certificate) => certificate !== undefined);
  return usable.length === 0 || usable.length < certificates.length ? undefined : usable;
}

function readCertificate(base64: string): Certificate | undefined {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) {
    return undefined;
  }
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const [certificate] = readElements(bytes);
  const [body] = certificate?.tag === tags.sequence ? readElements(certificate.content) : [];
  const fields = body?.tag === tags.sequence ? readElements(body.content) : [];
  // An optional version stands before serial number, algorithm, issuer, validity, subject and key.
  const validity = fields[fields[0]?.tag === tags.version ? 4 : 3];
  const [notBefore, notAfter] = validity?.tag === tags.sequence ? readElements(validity.content).map(readTime) : [];
  if (notBefore === undefined || notAfter === undefined) {
    return undefined;
  }
  const extensions = fields.find(({ tag }) => tag === tags.extensions);
  return { notBeforeMs: notBefore, notAfterMs: notAfter, dnsNames: readDnsNames(extensions) };
}

const tags = {
  octetString: 0x04,
  objectIdentifier: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** Context-specific, inside a subjectAltName. */
  dnsName: 0x82,
  version: 0xa0,
  extensions: 0xa3,
} as const;

/** One element of the distinguished encoding rules (ITU-T X.690). */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** The elements that stand side by side; none at all when one of them does not fit. */
function readElements(bytes: Uint8Array): readonly Element[] {
  const elements: Element[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at] ?? 0;
    const length = readLength(bytes, at + 1);
    if (length === undefined || length.contentAt + length.bytes > bytes.length) {
      return [];
    }
    at = length.contentAt + length.bytes;
    elements.push({ tag, content: bytes.subarray(length.contentAt, at) });
  }
  return elements;
}

function readLength(bytes: Uint8Array, at: number): { readonly bytes: number; readonly contentAt: number } | undefined {
  const first = bytes[at];
  if (first === undefined) {
    return undefined;
  }
  if (first < 0x80) {
    return { bytes: first, contentAt: at + 1 };
  }
  const count = first - 0x80;
  if (count < 1 || count > 4 || at + count >= bytes.length) {
    return undefined;
  }
  const length = bytes.subarray(at + 1, at + 1 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  return { bytes: length, contentAt: at + 1 + count };
}

/** Years of two digits are from 1950 to 2049 (RFC 5280, 4.1.2.5.1); both forms end in seconds and `Z`. */
function readTime({ tag, content }: Element): number | undefined {
  const text = new TextDecoder().decode(content);
  const pattern = tag === tags.utcTime ? /^([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z$/ : undefined;
  const long = /^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z$/;
  const match = (pattern ?? (tag === tags.generalizedTime ? long : undefined))?.exec(text);
  if (match === undefined || match === null) {
    return undefined;
  }
  const [year = 0, month = 1, ...others] = match.slice(1).map(Number);
  const [day = 1, hour = 0, minute = 0, second = 0] = others;
  const century = tag === tags.generalizedTime ? 0 : year < 50 ? 2000 : 1900;
  return Date.UTC(year + century, month - 1, day, hour, minute, second);
}

/** 2.5.29.17, subjectAltName. */
const alternativeNames = [0x55, 0x1d, 0x11];

function readDnsNames(extensions: Element | undefined): readonly string[] {
  const [list] = extensions === undefined ? [] : readElements(extensions.content);
  return (list === undefined ? [] : readElements(list.content)).flatMap((extension) => {
    const parts = readElements(extension.content);
    const [identifier] = parts;
    const value = parts.at(-1);
    const isNames =
      identifier?.tag === tags.objectIdentifier &&
      identifier.content.length === alternativeNames.length &&
      alternativeNames.every((byte, index) => identifier.content[index] === byte);
    const [names] = isNames && value?.tag === tags.octetString ? readElements(value.content) : [];
    return (names === undefined ? [] : readElements(names.content))
      .filter(({ tag }) => tag === tags.dnsName)
      .map(({ content }) => new TextDecoder().decode(content).toLowerCase());
  });
}

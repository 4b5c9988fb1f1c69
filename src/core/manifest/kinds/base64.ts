/** Bytes of base64 as protobuf JSON and Kubernetes write it: standard or URL-safe, padded or not; undefined for none. */
export function parseBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const standard = text
    .replaceAll(/[\r\n]/g, "")
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .replace(/=+$/, "");
  if (!/^[A-Za-z0-9+/]*$/.test(standard) || standard.length % 4 === 1) {
    return undefined;
  }
  return Uint8Array.from(atob(standard), (character) => character.charCodeAt(0));
}

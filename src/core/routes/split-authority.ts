/** The part of an authority before its port. An IPv6 address keeps its brackets. */
export function splitAuthority(authority: string): { readonly host: string; readonly port: string } {
  const colon = authority.lastIndexOf(":");
  return colon === -1 || authority.lastIndexOf("]") > colon
    ? { host: authority, port: "" }
    : { host: authority.slice(0, colon), port: authority.slice(colon + 1) };
}

const longest = 200;

/**
 * A path as one of many of its kind: what looks like the id of one thing (a number, a UUID, a long run of hexadecimal
 * digits) becomes `*`, and what follows a question mark is left out, because it may be a secret.
 */
export function foldPath(path: string): string {
  const [plain = "/"] = path.split(/[?#]/, 1);
  return plain
    .split("/")
    .map((part) => (isId(part) ? "*" : part))
    .join("/")
    .slice(0, longest);
}

function isId(part: string): boolean {
  return /^\d+$/.test(part) || /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(part) || isHexadecimal(part);
}

/** Words such as `feedface` have no digit. */
function isHexadecimal(part: string): boolean {
  return part.length >= 16 && /^[0-9a-f]+$/i.test(part) && /\d/.test(part);
}

import { escapeRegex } from "./escape-regex.ts";
import type { ValueMatch } from "./route-table.ts";

/**
 * RE2 over a whole `cookie` header that has a cookie of this name with this value (RFC 6265, section 4.2.1); `present`
 * asks for a value that is not empty. A dot of a user's own expression does not reach into the cookies beside it.
 */
export function renderCookiePattern(name: string, value: ValueMatch): string {
  return `(?:.*;\\s*)?${escapeRegex(name)}=${renderValue(value)}\\s*(?:;.*)?`;
}

function renderValue(value: ValueMatch): string {
  switch (value.kind) {
    case "present":
      return "[^;]*[^;\\s][^;]*";
    case "exact":
      return escapeRegex(value.value);
    case "prefix":
      return `${escapeRegex(value.value)}[^;]*`;
    case "regex":
      return `(?:${confineDots(value.value)})`;
  }
}

/** Dots that stand for any character, which are those that are neither escaped nor in a class. */
function confineDots(pattern: string): string {
  return pattern.replaceAll(/\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]])*\]|\./gsu, (token) =>
    token === "." ? "[^;]" : token,
  );
}

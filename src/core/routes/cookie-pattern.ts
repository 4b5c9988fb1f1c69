import { escapeRegex } from "./escape-regex.ts";
import type { ValueMatch } from "./route-table.ts";

/**
 * RE2 over a whole `cookie` header that has a cookie of this name with this value (RFC 6265, section 4.2.1); `present`
 * asks for a value that is not empty. A dot of a user's own expression does not reach into the cookies beside it.
 */
export function renderCookiePattern(name: string, value: ValueMatch): string {
  return inHeader(renderCookie([name, value]));
}

/**
 * The same for cookies that all have to be there, in whatever order: RE2 cannot look ahead, so that each order is
 * written out. The number of cookies is the caller's to limit.
 */
export function renderCookiesPattern(cookies: readonly (readonly [name: string, value: ValueMatch])[]): string {
  const orders = permute(cookies.map(renderCookie)).map((order) => order.join("\\s*;(?:.*;)?\\s*"));
  return inHeader(orders.length === 1 ? (orders[0] ?? "") : `(?:${orders.join("|")})`);
}

function inHeader(cookies: string): string {
  return `(?:.*;\\s*)?${cookies}\\s*(?:;.*)?`;
}

function renderCookie([name, value]: readonly [name: string, value: ValueMatch]): string {
  return `${escapeRegex(name)}=${renderValue(value)}`;
}

function permute(items: readonly string[]): readonly (readonly string[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, at) => permute(items.toSpliced(at, 1)).map((rest) => [item, ...rest]));
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

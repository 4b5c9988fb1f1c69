import { RE2JS } from "re2js";

/** Compiled patterns by their text. The number is bounded so that a stream of edited manifests cannot fill memory. */
const compiled = new Map<string, RE2JS | Error>();
const compiledLimit = 20_000;

/** The pattern in RE2, the dialect of Istio and Envoy, compiled once; an Error that says what is wrong with it. */
export function compileRegex(pattern: string): RE2JS | Error {
  const known = compiled.get(pattern);
  if (known !== undefined) {
    return known;
  }
  if (compiled.size >= compiledLimit) {
    compiled.clear();
  }
  const result = compile(pattern);
  compiled.set(pattern, result);
  return result;
}

/**
 * Half of what Istio's proxies take (32768): Envoy counts bytes where this counts characters, so that a class such as
 * `[^/]` or `\W` has several states there.
 */
const maximumStates = 16_384;

/** Envoy reads patterns byte by byte, so a character beyond 255 cannot be named by its number. */
const wideEscape = /(?<!\\)(?:\\\\)*\\x\{0*[1-9A-Fa-f][0-9A-Fa-f]{2,}\}/;

function compile(pattern: string): RE2JS | Error {
  const wide = wideEscape.exec(pattern)?.[0];
  if (wide !== undefined) {
    return new Error(`Envoy does not take the escape ${wide}`);
  }
  try {
    const regex = RE2JS.compile(pattern);
    const states = regex.programSize();
    return states > maximumStates
      ? new Error(`it is too large, with ${states} states where ${maximumStates} are allowed`)
      : regex;
  } catch (error) {
    // The library throws for a bad pattern only; there is nothing else in that call.
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * Why a substitution cannot be used with a pattern: with an unknown escape, or a group that the pattern does not have,
 * RE2 replaces nothing and says nothing. Source: RE2 `re2.h`, CheckRewriteString.
 */
export function complainSubstitution(regex: RE2JS, substitution: string): string | undefined {
  for (const [escape, character = ""] of substitution.matchAll(/\\(.?)/gs)) {
    if (character !== "\\" && !/[0-9]/.test(character)) {
      return `${escape} is neither \\\\ nor a group such as \\1`;
    }
    if (character !== "\\" && Number(character) > regex.groupCount()) {
      return `${escape} names a group that the pattern does not have`;
    }
  }
  return undefined;
}

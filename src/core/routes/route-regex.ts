import { compileRegex } from "../manifest/regex.ts";

/** True when the whole text matches, in time linear in it. A pattern that does not compile matches nothing. */
export function matchesWhole(pattern: string, text: string): boolean {
  const regex = compileRegex(pattern);
  return regex instanceof Error ? false : regex.testExact(text);
}

/**
 * Every match replaced, as RE2's GlobalReplace does it: `\0` to `\9` in the substitution are groups, `\\` is a
 * backslash, and an empty match directly after another match is not replaced.
 */
export function replaceAll(text: string, pattern: string, substitution: string): string {
  const regex = compileRegex(pattern);
  if (regex instanceof Error) {
    return text;
  }
  const matcher = regex.matcher(text);
  let result = "";
  let copied = 0;
  let lastEnd = -1;
  while (matcher.find()) {
    const start = matcher.start();
    const end = matcher.end();
    if (start === end && start === lastEnd) {
      continue;
    }
    result += text.slice(copied, start);
    result += substitution.replaceAll(/\\(\d|\\)/g, (_whole, token: string) =>
      token === "\\" ? "\\" : (matcher.group(Number(token)) ?? ""),
    );
    copied = end;
    lastEnd = end;
  }
  return result + text.slice(copied);
}

import { usageError } from "../usage-error.ts";

/** `green=10` to `{green: 10}`. Throws KIR5057 for anything that is not shares of at most 100 percent together. */
export function parseShares(texts: readonly string[], option: string): Readonly<Record<string, number>> {
  const shares = new Map<string, number>();
  for (const text of texts.flatMap((given) => given.split(","))) {
    const { version, percent } = parseShare(text, option);
    if (shares.has(version)) throw usageError(`The version ${version} is given twice.`);
    shares.set(version, percent);
  }
  const sum = [...shares.values()].reduce((total, percent) => total + percent, 0);
  if (sum > 100) throw usageError(`The shares add up to ${sum} percent, which is more than all.`);
  return Object.fromEntries(shares);
}

function parseShare(text: string, option: string): { readonly version: string; readonly percent: number } {
  const found = /^(?<version>[^=]+)=(?<percent>\d{1,3}(?:\.\d+)?)%?$/u.exec(text.trim());
  const version = found?.groups?.["version"];
  const percent = Number(found?.groups?.["percent"]);
  if (version !== undefined && percent <= 100) return { version, percent };
  throw usageError(
    `"${text}" is not a version and its share.`,
    `Write it as in \`${option} green=10\`, from 0 to 100.`,
  );
}

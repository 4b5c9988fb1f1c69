/** Colours for text that people read; every function returns its text unchanged where colour is off. */
export interface Ink {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  blue(text: string): string;
  cyan(text: string): string;
}

export const plainInk: Ink = createInk(false);

/**
 * @param seal parameters that every colour sequence carries, such as `;1234`; a terminal that made them up knows its own
 * colours from those that a name in a file holds, and takes them out again
 */
export function createInk(isColoured: boolean, seal = ""): Ink {
  const paint = (open: number, close: number) => (text: string) =>
    isColoured && text !== "" ? `\u001B[${open}${seal}m${text}\u001B[${close}${seal}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    blue: paint(34, 39),
    cyan: paint(36, 39),
  };
}

/**
 * Whether a stream gets colours: NO_COLOR turns them off (no-color.org: present and not empty), FORCE_COLOR on (0 and
 * false turn them off), and else a terminal that is not dumb has them.
 */
export function wantsColour(env: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const forced = env["FORCE_COLOR"];
  if (forced !== undefined) return forced !== "0" && forced !== "false";
  return isTerminal && env["TERM"] !== "dumb";
}

/** A version that is named by a colour is shown in it. */
export function inkVersion(ink: Ink, version: string): string {
  if (version === "blue") return ink.blue(version);
  if (version === "green") return ink.green(version);
  return ink.bold(version);
}

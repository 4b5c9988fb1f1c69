import { usageError } from "./usage-error.ts";

/** A port from the command line. */
export function parsePort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw usageError(`${text} is not a port.`, "A port is a number from 1 to 65535.");
  return port;
}

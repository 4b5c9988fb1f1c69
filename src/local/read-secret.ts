import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { SecretSource } from "../core/manifest/release.ts";
import { errorText } from "../core/diagnostics/error-text.ts";

const mostBytes = 64 * 1024;

/**
 * Reads a secret that a Release names, at the moment when it is needed, so that a renewed one counts. Files are found
 * from the folder of the manifests. Without the line feed at its end.
 * @throws Error that names the place and never the secret
 */
export async function readSecret(source: SecretSource, { folder }: { readonly folder: string }): Promise<string> {
  const found = source.kind === "file" ? await readSmall(source.path, folder) : process.env[source.name];
  const place = source.kind === "file" ? `the file ${source.path}` : `the variable ${source.name}`;
  const secret = found?.replace(/\r?\n$/u, "");
  if (secret === undefined || secret === "")
    throw new Error(`${place}, which a secret is read from, is empty or not set`);
  if (/[\r\n\0]/u.test(secret)) throw new Error(`${place} holds more than one line, which no secret of a request does`);
  return secret;
}

/** A pipe or a device could be read for ever, and a pipe without a writer could not even be opened. */
async function readSmall(path: string, folder: string): Promise<string> {
  const file = await open(resolve(folder, path), constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new Error(`the file ${path}, which a secret is read from, cannot be opened: ${errorText(error)}`);
  });
  try {
    const about = await file.stat();
    if (!about.isFile() || about.size > mostBytes)
      throw new Error(`the file ${path} is no file of at most ${mostBytes} bytes`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

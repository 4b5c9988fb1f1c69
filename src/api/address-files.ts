import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { parseJson } from "../core/manifest/parse-json.ts";

/** Where a running API is found: two small files in the state folder. */
export interface ApiAddressFiles {
  /** The token, readable by this user only. */
  readonly tokenFile: string;
  /** JSON of `ApiAddress`; left out where nobody has to find the API. */
  readonly addressFile?: string | undefined;
}

export interface ApiAddress {
  /** `http://127.0.0.1:N`. */
  readonly url: string;
  readonly pid: number;
}

export async function writeAddressFiles(files: ApiAddressFiles, token: string, address: ApiAddress): Promise<void> {
  await writeWhole(files.tokenFile, `${token}\n`);
  if (files.addressFile !== undefined) await writeWhole(files.addressFile, `${JSON.stringify(address)}\n`);
}

/** Removes the files unless another process has put its own there since. */
export async function removeAddressFiles(files: ApiAddressFiles, token: string): Promise<void> {
  if ((await readIfPresent(files.tokenFile))?.trim() !== token) return;
  if (files.addressFile !== undefined) await rm(files.addressFile, { force: true });
  await rm(files.tokenFile, { force: true });
}

/** Undefined when no API was left running there, or when the file is not one of ours. */
export async function readAddressFiles(
  files: Required<ApiAddressFiles> & { readonly addressFile: string },
): Promise<{ readonly address: ApiAddress; readonly token: string } | undefined> {
  const [addressText, token] = await Promise.all([readIfPresent(files.addressFile), readIfPresent(files.tokenFile)]);
  if (addressText === undefined || token === undefined) return undefined;
  const address = parseAddress(addressText);
  return address === undefined ? undefined : { address, token: token.trim() };
}

function parseAddress(text: string): ApiAddress | undefined {
  const value = parseJson(text);
  if (typeof value !== "object" || value === null || !("url" in value) || !("pid" in value)) return undefined;
  const { url, pid } = value;
  // The token is sent there, so nothing but loopback is believed.
  if (typeof url !== "string" || !/^http:\/\/127\.0\.0\.1:\d{1,5}$/u.test(url) || typeof pid !== "number")
    return undefined;
  return { url, pid };
}

/** Moved into place whole and closed to others from the first byte, so no reader sees half of it. */
async function writeWhole(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}

async function readIfPresent(file: string): Promise<string | undefined> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

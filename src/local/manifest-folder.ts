import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { diagnostic, type Diagnostic } from "../core/diagnostics/diagnostic.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { SourceText } from "../core/manifest/manifest.ts";
import { errorText } from "../core/diagnostics/error-text.ts";
import { systemErrorCode } from "./system-error.ts";

/** The manifests as they are on disk at one moment. */
export interface ManifestSet {
  /** In the order of their paths, which begin with the path that was asked for. */
  readonly sources: readonly SourceText[];
  /** KIR1002 for what exceeds the limits and was not read, KIR1001 for what is not text. */
  readonly diagnostics: readonly Diagnostic[];
  /** The folders that were read, for a watcher. */
  readonly folders: readonly string[];
  /** Over paths and contents: two sets with the same hash say the same. */
  readonly hash: string;
}

export interface ReadLimits {
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
  readonly maxFiles: number;
}

export const readLimits: ReadLimits = {
  maxFileBytes: 32 * 1024 * 1024,
  maxTotalBytes: 256 * 1024 * 1024,
  maxFiles: 20_000,
};

export interface ReadOptions {
  readonly limits?: ReadLimits | undefined;
  /** Read for the path `-`; standard input where it is not given. */
  readonly input?: AsyncIterable<Uint8Array | string> | undefined;
  /**
   * What a file or folder below a named folder does when it cannot be read: `throw` (the default) takes nothing of a
   * folder that is not whole, `report` makes it the finding KIR1084 and reads the others.
   */
  readonly unreadable?: "throw" | "report" | undefined;
}

const extensions = new Set([".yaml", ".yml", ".json"]);
const ignoredFolders = new Set(["node_modules"]);

/**
 * Reads `.yaml`, `.yml` and `.json` files of a folder and those below it, one file, or standard input (`-`). Dot
 * folders, dot files and node_modules are left out; a folder or file that links lead to twice is read once.
 * @throws KirikaeError KIR5013 (exit status 2) for a path that does not exist or cannot be read.
 */
export async function readManifests(target: string, options: ReadOptions = {}): Promise<ManifestSet> {
  return await readAllManifests([target], options);
}

/**
 * As `readManifests` for several paths, which share the limits. A file that several of them hold is read once, under the
 * path by which it is met first.
 */
export async function readAllManifests(targets: readonly string[], options: ReadOptions = {}): Promise<ManifestSet> {
  const reader = new ManifestReader(options);
  for (const target of new Set(targets)) {
    try {
      await readTarget(reader, target, options);
    } catch (error) {
      throw asReadError(error, target);
    }
  }
  return reader.result();
}

async function readTarget(reader: ManifestReader, target: string, options: ReadOptions): Promise<void> {
  if (target === "-") {
    await reader.readStream("<stdin>", options.input ?? process.stdin);
    return;
  }
  const found = await stat(target);
  if (found.isDirectory()) {
    await reader.walk(target, (path) => reader.readFile(path));
    return;
  }
  if (!found.isFile()) throw notAFile(target);
  reader.folders.push(dirname(target));
  await reader.readNamed(target);
}

/**
 * Over names, sizes and times of the same files, without reading them: while it stays, the contents stayed.
 * @throws KirikaeError KIR5013 as `readManifests` does.
 */
export async function fingerprintManifests(target: string): Promise<string> {
  const reader = new ManifestReader({});
  const hash = createHash("sha256");
  const note = async (path: string): Promise<void> => {
    const found = await stat(path, { bigint: true });
    hash.update(`${path}\0${found.ino}\0${found.size}\0${found.mtimeNs}\0${found.ctimeNs}\0`);
  };
  try {
    if ((await stat(target)).isDirectory()) await reader.walk(target, note);
    else await note(target);
  } catch (error) {
    throw asReadError(error, target);
  }
  return hash.digest("hex");
}

class ManifestReader {
  readonly folders: string[] = [];
  readonly #limits: ReadLimits;
  readonly #unreadable: "throw" | "report";
  readonly #sources: SourceText[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  /** Files are read one after the other, so that thousands of them need one buffer. */
  readonly #scratch = Buffer.alloc(256 * 1024);
  #totalBytes = 0;
  #isFull = false;

  constructor({ limits, unreadable }: ReadOptions) {
    this.#limits = limits ?? readLimits;
    this.#unreadable = unreadable ?? "throw";
  }

  result(): ManifestSet {
    const hash = createHash("sha256");
    for (const source of this.#sources) hash.update(`${source.path}\0${source.text.length}\0${source.text}\0`);
    for (const finding of this.#diagnostics) hash.update(`${finding.code}\0${finding.message}\0`);
    return {
      sources: this.#sources,
      diagnostics: this.#diagnostics,
      folders: this.folders,
      hash: hash.digest("hex"),
    };
  }

  /** Visits the manifest files of a folder and those below it, each once, in the order of their names. */
  async walk(folder: string, visit: (path: string) => Promise<void>): Promise<void> {
    if (this.#isFull) return;
    const real = await realpath(folder);
    if (!this.#isFirst(real)) return;
    this.folders.push(folder);
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      try {
        await this.#visitEntry(entry, { path, real: join(real, entry.name) }, visit);
      } catch (error) {
        this.#reportUnreadable(path, error);
      }
    }
  }

  /** Only a link leads anywhere else than to its folder, so that nothing is asked about ten thousand plain files. */
  async #visitEntry(
    entry: Dirent,
    { path, real }: { readonly path: string; readonly real: string },
    visit: (path: string) => Promise<void>,
  ): Promise<void> {
    const isLink = entry.isSymbolicLink();
    const kind = isLink ? await this.#kindBehindLink(path) : kindOf(entry);
    if (kind === "folder" && !ignoredFolders.has(entry.name)) await this.walk(path, visit);
    else if (kind === "file" && extensions.has(extname(entry.name).toLowerCase())) {
      if (isLink ? await this.#isNew(path) : this.#isFirst(real)) await visit(path);
    }
  }

  #reportUnreadable(path: string, error: unknown): void {
    const known = asReadError(error, path);
    if (this.#unreadable === "throw" || !(known instanceof KirikaeError)) throw known;
    const hint = "Correct the link or the permission, or leave it out; the other files were read.";
    const at = { file: path, line: 1, column: 1 };
    this.#diagnostics.push(diagnostic("KIR1084", { message: known.message, hint, at }));
  }

  /** A file that was asked for by its own name, unless it was read already. */
  async readNamed(path: string): Promise<void> {
    if (await this.#isNew(path)) await this.readFile(path);
  }

  async readFile(path: string): Promise<void> {
    if (this.#isFull) return;
    if (this.#sources.length >= this.#limits.maxFiles) {
      this.#stop(
        path,
        `There are more than ${this.#limits.maxFiles} manifest files; this one and the rest were not read.`,
      );
      return;
    }
    const bytes = await readBounded(path, this.#limits.maxFileBytes, this.#scratch).catch((error: unknown) => {
      throw asReadError(error, path);
    });
    this.#add(path, bytes);
  }

  async readStream(name: string, input: AsyncIterable<Uint8Array | string>): Promise<void> {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of input) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > this.#limits.maxFileBytes) {
        this.#add(name, undefined);
        return;
      }
      chunks.push(bytes);
    }
    this.#add(name, Buffer.concat(chunks));
  }

  /** `bytes` is undefined for a file above the limit. */
  #add(path: string, bytes: Buffer | undefined): void {
    const at = { file: path, line: 1, column: 1 };
    if (bytes === undefined) {
      const message = `The file is larger than ${renderSize(this.#limits.maxFileBytes)} and was not read.`;
      this.#diagnostics.push(diagnostic("KIR1002", { message, hint: "Split it.", at }));
      return;
    }
    this.#totalBytes += bytes.length;
    if (this.#totalBytes > this.#limits.maxTotalBytes) {
      const limit = renderSize(this.#limits.maxTotalBytes);
      this.#stop(path, `The manifests are larger than ${limit} together; this one and the rest were not read.`);
      return;
    }
    if (!isUtf8(bytes)) {
      const message = "The file is not UTF-8 text and was not read.";
      this.#diagnostics.push(diagnostic("KIR1001", { message, hint: "Save it as UTF-8.", at }));
      return;
    }
    this.#sources.push({ path, text: new TextDecoder().decode(bytes) });
  }

  #stop(path: string, message: string): void {
    this.#isFull = true;
    const hint = "Name a folder that holds only the manifests.";
    this.#diagnostics.push(diagnostic("KIR1002", { message, hint, at: { file: path, line: 1, column: 1 } }));
  }

  /** A link to a folder above, or a second link to the same place, leads to what was read already. */
  async #isNew(path: string): Promise<boolean> {
    return this.#isFirst(await realpath(path));
  }

  #isFirst(real: string): boolean {
    if (this.#seen.has(real)) return false;
    this.#seen.add(real);
    return true;
  }

  async #kindBehindLink(path: string): Promise<"file" | "folder" | undefined> {
    try {
      return kindOf(await stat(path));
    } catch (error) {
      const code = systemErrorCode(error);
      // A link to nothing or in circles that is named like a manifest was meant as one, so that it is an error below.
      if ((code === "ENOENT" || code === "ELOOP") && !extensions.has(extname(basename(path)).toLowerCase())) {
        return undefined;
      }
      throw asReadError(error, path);
    }
  }
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): "file" | "folder" | undefined {
  if (entry.isDirectory()) return "folder";
  return entry.isFile() ? "file" : undefined;
}

/** Reads at most `maxBytes` by way of `scratch`; undefined when there is more, also when the file grows meanwhile. */
async function readBounded(path: string, maxBytes: number, scratch: Buffer): Promise<Buffer | undefined> {
  await using file = await open(path, "r");
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(scratch);
    if (bytesRead === 0) return Buffer.concat(chunks);
    length += bytesRead;
    if (length > maxBytes) return undefined;
    chunks.push(Buffer.from(scratch.subarray(0, bytesRead)));
  }
}

function renderSize(bytes: number): string {
  const mebi = 1024 * 1024;
  return bytes >= mebi ? `${Math.floor(bytes / mebi)} MiB` : `${bytes} bytes`;
}

/** Reading a pipe or a device could wait for ever, or never end. */
function notAFile(path: string): KirikaeError {
  return new KirikaeError("KIR5013", `${path} is neither a folder nor a file.`, {
    exitStatus: 2,
    hint: "Pipe what it gives into standard input and name that: -",
  });
}

function asReadError(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  if (error instanceof KirikaeError || code === undefined) return error;
  const reasons: Record<string, string> = {
    ENOENT: "does not exist",
    EACCES: "may not be read",
    ELOOP: "is a link in circles",
    ENOTDIR: "does not exist",
  };
  return new KirikaeError("KIR5013", `${path} ${reasons[code] ?? `cannot be read: ${errorText(error)}`}.`, {
    exitStatus: 2,
    hint: "Name a folder of manifests, one file, or - for standard input.",
    cause: error,
  });
}

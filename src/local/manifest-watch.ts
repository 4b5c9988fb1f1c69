import { watch, type FSWatcher } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { fingerprintManifests, readManifests, type ManifestSet } from "./manifest-folder.ts";
import { errorText } from "../core/diagnostics/error-text.ts";
import { systemErrorCode } from "./system-error.ts";

export interface WatchOptions {
  /** What was read last; only a set with another hash is a change. */
  readonly known: ManifestSet;
  /** Called with everything, read anew; the next change waits until it has settled. */
  onChange(manifests: ManifestSet): Promise<void> | void;
  /** The folder cannot be read now; it is tried again. The same error is reported once. */
  onError(error: Error): void;
  /** Several files saved within this time are one change; 80 ms where it is not given. */
  readonly settleMs?: number | undefined;
  /** For file systems that report nothing; 2 s where it is not given. */
  readonly pollMs?: number | undefined;
}

/** A poll may take one part in so many of the time. */
const pollRest = 100;

/**
 * Calls back when the contents of the manifests change. Notifications of the system are only a reason to look: every
 * folder is read anew, and compared by content. So a save by rename, a touched file and a lost notification all come to
 * the right end.
 */
export function watchManifests(target: string, options: WatchOptions): AsyncDisposable {
  return new ManifestWatch(target, options);
}

class ManifestWatch implements AsyncDisposable {
  readonly #target: string;
  readonly #options: WatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #settleMs: number;
  readonly #pollMs: number;
  #poll: NodeJS.Timeout | undefined;
  #fingerprint: string | undefined;
  #failures = 0;
  #known: ManifestSet;
  #settling: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #isStale = false;
  #lastError: string | undefined;
  #isClosed = false;

  constructor(target: string, options: WatchOptions) {
    this.#target = target;
    this.#options = options;
    this.#known = options.known;
    this.#settleMs = options.settleMs ?? 80;
    this.#watchFolders(options.known.folders);
    this.#pollMs = options.pollMs ?? 2_000;
    this.#poll = setTimeout(() => void this.#pollFingerprint(), this.#pollMs);
    // Something may have been saved between the first reading and the first watcher.
    this.#soon();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#poll);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await this.#looking;
  }

  #soon(): void {
    clearTimeout(this.#settling);
    if (!this.#isClosed) this.#settling = setTimeout(() => this.#look(), this.#settleMs);
  }

  /** Nothing is read while names, sizes and times stay; of many files even that is done ever less often. */
  async #pollFingerprint(): Promise<void> {
    const startedAt = performance.now();
    const found = await fingerprintManifests(this.#target).catch((error: unknown) => `unreadable: ${errorText(error)}`);
    if (this.#isClosed) return;
    const nextInMs = Math.max(this.#pollMs, pollRest * (performance.now() - startedAt));
    this.#poll = setTimeout(() => void this.#pollFingerprint(), nextInMs);
    if (found === this.#fingerprint) return;
    this.#fingerprint = found;
    this.#look();
  }

  #look(): void {
    if (this.#isClosed) return;
    if (this.#looking !== undefined) {
      this.#isStale = true;
      return;
    }
    this.#isStale = false;
    this.#looking = this.#readAndCompare().finally(() => {
      this.#looking = undefined;
      if (this.#isStale) this.#soon();
    });
  }

  async #readAndCompare(): Promise<void> {
    let found: ManifestSet;
    try {
      found = await this.#readSettled();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#reportFailure(error);
      return;
    }
    this.#lastError = undefined;
    this.#failures = 0;
    if (this.#isClosed) return;
    this.#watchFolders(found.folders);
    if (found.hash === this.#known.hash) return;
    this.#known = found;
    await this.#options.onChange(found);
  }

  /** A file that went away between the listing and the reading is no error: only the second failure in a row is. */
  #reportFailure(error: Error): void {
    this.#failures += 1;
    this.#watchFolders([]);
    if (this.#failures < 2) {
      this.#soon();
      return;
    }
    this.#fingerprint = undefined;
    if (error.message !== this.#lastError) this.#options.onError(error);
    this.#lastError = error.message;
  }

  /**
   * Reads until two readings agree, so that a set is never one file before a save and another after it. A file that
   * became empty is given more time: some editors cut a file to nothing and then write it.
   */
  async #readSettled(): Promise<ManifestSet> {
    let found = await readManifests(this.#target);
    for (let attempt = 0; attempt < 10 && found.hash !== this.#known.hash && !this.#isClosed; attempt += 1) {
      await delay(this.#hasNewlyEmpty(found) ? this.#settleMs * 3 : this.#settleMs / 2);
      const again = await readManifests(this.#target);
      if (again.hash === found.hash) return again;
      found = again;
    }
    return found;
  }

  #hasNewlyEmpty(found: ManifestSet): boolean {
    const before = new Map(this.#known.sources.map((source) => [source.path, source.text]));
    return found.sources.some((source) => source.text === "" && (before.get(source.path) ?? "") !== "");
  }

  #watchFolders(folders: readonly string[]): void {
    const wanted = new Set(folders);
    for (const [folder, watcher] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) if (!this.#watchers.has(folder)) this.#watchFolder(folder);
  }

  /** Without a watcher (too many of them, or the folder went away just now) the poll still sees every change. */
  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#soon());
      watcher.on("error", () => {
        watcher.close();
        this.#watchers.delete(folder);
        this.#soon();
      });
      this.#watchers.set(folder, watcher);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code !== "ENOSPC" && code !== "EMFILE" && code !== "ENOENT" && code !== "EACCES") throw error;
    }
  }
}

import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { chmod, rm } from "node:fs/promises";
import type { AnswerComparison } from "../../core/manifest/release.ts";
import { compareAnswers } from "../../core/release/mirror/compare-answers.ts";
import { isSafe } from "../../core/release/mirror/describe-comparison.ts";
import { type ComparedSide, type MirrorReport, MirrorTally } from "../../core/release/mirror/mirror-report.ts";
import { buildComparerDestination } from "../../core/routes/comparer-destination.ts";
import { copiedId, copyHeader, splitHeader } from "../../core/routes/copied-destination.ts";
import type { Destination, DestinationId, SplitId } from "../../core/routes/route-table.ts";
import { askVersion, type CopiedRequest, type VersionReply } from "./ask-version.ts";

/** Copies of one release, and what is compared of their answers. */
export interface ComparedRelease {
  /** `namespace/name`. */
  readonly release: string;
  readonly compare: AnswerComparison;
  /** How many of a hundred requests are copied. */
  readonly percent: number;
  /** Where the versions are, by the split that a copy was taken from. */
  readonly to: Readonly<Record<SplitId, DestinationId>>;
  readonly live: Readonly<Record<SplitId, DestinationId>>;
}

export interface ComparerOptions {
  /** Where copies come in. */
  readonly socketPath: string;
  /** Where the proxy takes them to send them on. */
  readonly copiesSocket: string;
  /** How long a version may take; 10 s where it is not given. */
  readonly timeoutMs?: number;
  /** Hears of what should never happen to a copy; the copy is then left out. */
  onDefect(error: unknown): void;
}

/** Copies that are sent on at once; more are dropped, because what waits here would wait in memory. */
const maxUnderWay = 64;
const longestBodyBytes = 512 * 1024;
const defaultTimeoutMs = 10_000;

/** More than a proxy lets a client send: a visitor with many cookies is compared as well. */
const maxHeaderSize = 128 * 1024;

interface Entry {
  readonly compared: ComparedRelease;
  readonly tally: MirrorTally;
}

/**
 * Takes copies of live requests, asks both versions, and counts how their answers differ. No client waits for anything
 * here: the proxy has sent its own request on before, and forgets the copy whatever becomes of it.
 */
export class MirrorComparer implements AsyncDisposable {
  /** What the routes that copy have to lead to. */
  readonly destination: Destination;
  readonly #options: ComparerOptions;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 * maxUnderWay, maxFreeSockets: 16 });
  readonly #entries = new Map<string, Entry>();
  readonly #ended = new Map<string, MirrorTally>();
  #underWay = 0;

  private constructor(options: ComparerOptions) {
    this.#options = options;
    this.destination = buildComparerDestination(options.socketPath);
    this.#server = createServer({ requestTimeout: 10_000, maxHeaderSize }, (request, response) => {
      this.#take(request, response).catch((error: unknown) => {
        options.onDefect(error);
        response.destroy();
      });
    });
  }

  static async start(options: ComparerOptions): Promise<MirrorComparer> {
    const comparer = new MirrorComparer(options);
    // An earlier process that was killed has left it.
    await rm(options.socketPath, { force: true });
    const listening = Promise.withResolvers<void>();
    comparer.#server.once("error", listening.reject);
    comparer.#server.listen(options.socketPath, () => listening.resolve());
    await listening.promise;
    await chmod(options.socketPath, 0o600);
    return comparer;
  }

  /** Compares copies of these releases from now on; what was counted of others is kept for `takeEnded`. */
  compare(releases: readonly ComparedRelease[]): void {
    const wanted = new Map(releases.map((each) => [each.release, each]));
    for (const [release, { tally }] of this.#entries) {
      if (wanted.has(release)) continue;
      this.#entries.delete(release);
      this.#ended.set(release, tally);
    }
    for (const [release, compared] of wanted) {
      const tally = this.#entries.get(release)?.tally ?? new MirrorTally(Date.now());
      this.#entries.set(release, { compared, tally });
    }
  }

  /** What was counted so far of a release that is compared now. */
  report(release: string): MirrorReport | undefined {
    return this.#entries.get(release)?.tally.report(Date.now());
  }

  /** What a check compares with its limit; undefined where nothing of the release is compared. */
  differences(release: string): ReturnType<MirrorTally["differences"]> | undefined {
    return this.#entries.get(release)?.tally.differences();
  }

  /** What was counted of a release whose copies have ended, once. */
  takeEnded(release: string): MirrorReport | undefined {
    const tally = this.#ended.get(release);
    this.#ended.delete(release);
    return tally?.report(Date.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await closed.promise;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const entry = this.#entries.get(headerOf(request, copyHeader));
    const split = decodeSplit(headerOf(request, splitHeader));
    const to = entry?.compared.to[split];
    const { method = "GET", url: path = "/" } = request;
    if (entry === undefined || to === undefined) {
      answer(request, response);
      return;
    }
    const { tally, compared } = entry;
    tally.addCopy({ method, path }, { atMs: Date.now(), percent: compared.percent });
    if (this.#underWay >= maxUnderWay) {
      tally.addDropped();
      answer(request, response);
      return;
    }
    this.#underWay += 1;
    try {
      const body = await readBody(request);
      answer(request, response);
      if (body === undefined) tally.addDropped();
      else await this.#compare({ method, path, headers: request.headers, body }, entry, split);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #compare(copy: CopiedRequest, { tally, compared }: Entry, split: SplitId): Promise<void> {
    const to = compared.to[split];
    const from = compared.live[split];
    if (to === undefined) return;
    if (from === undefined || !isSafe(copy.method)) {
      this.#count(tally, "fresh", await this.#ask(copy, to));
      tally.addSentOnce();
      return;
    }
    const [live, fresh] = await Promise.all([this.#ask(copy, from), this.#ask(copy, to)]);
    this.#count(tally, "live", live);
    this.#count(tally, "fresh", fresh);
    if (live.kind !== "answered" || fresh.kind !== "answered") return;
    const result = compareAnswers(live.answer, fresh.answer, compared.compare);
    tally.addComparison(copy, { live: live.answer.status, fresh: fresh.answer.status, result });
  }

  #count(tally: MirrorTally, side: ComparedSide, reply: VersionReply): void {
    switch (reply.kind) {
      case "answered":
        tally.addAnswer(side, reply.durationMs);
        return;
      case "timeout":
        tally.addTimeout(side);
        return;
      case "unasked":
        tally.addUnasked();
    }
  }

  #ask(copy: CopiedRequest, destination: DestinationId): Promise<VersionReply> {
    const { copiesSocket: socketPath, timeoutMs = defaultTimeoutMs } = this.#options;
    return askVersion(copy, { socketPath, agent: this.#agent, to: copiedId(destination), timeoutMs });
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : "";
}

function decodeSplit(text: string): SplitId {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return "";
    throw error;
  }
}

/** The proxy reads no more of it than that it is over. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.on("error", ignore).writeHead(204).end();
}

/** A copy that breaks off is nobody's loss. */
function ignore(): void {}

/** Undefined where it is too long, or breaks off. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) continue;
      length += chunk.length;
      if (length > longestBodyBytes) return undefined;
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
  return Buffer.concat(chunks);
}

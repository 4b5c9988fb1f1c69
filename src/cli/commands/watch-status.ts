import { constants } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import type { ApiClient } from "../../api/client.ts";
import { summarizeRelease } from "../../api/summarize-release.ts";
import type { LiveEvent, ReleaseSummary } from "../../api/types.ts";
import type { CommandContext } from "../command.ts";
import { isSilent } from "../cluster-releases.ts";
import { renderJson } from "../neutralise.ts";
import { ClusterChanges } from "../print/cluster-changes.ts";
import { asKirikaeError } from "../print/error.ts";
import { ReleaseChanges } from "../print/release-changes.ts";
import { renderSampleLines, renderStatus } from "../print/status.ts";
import { isChosen, readStatus, type StatusChoice } from "../read-status.ts";
import type { Terminal } from "../terminal.ts";
import { openSource, type WatchSource } from "./open-watch-source.ts";
import type { StatusCommandOptions } from "./status.ts";

/** Eyes follow no more than a few changes a second. */
const showEveryMs = 250;
const connectAgainMs = 500;

interface Watch {
  readonly name: string | undefined;
  readonly options: StatusCommandOptions;
}

/**
 * Shows the status until a signal comes or the reader has gone. An `up` that ends is waited for: releases go on with the
 * next one, and who watches wants to see how they end; a cluster is watched from here meanwhile. The exit status is that of
 * a program that the signal ended.
 */
export async function watchStatus(context: CommandContext, { name, options }: Watch): Promise<void> {
  const { terminal } = context;
  const stop = new AbortController();
  using stopListening = context.onStop((signal) => {
    context.finish(128 + constants.signals[signal]);
    stop.abort();
  });
  const ended = AbortSignal.any([stop.signal, terminal.closed]);
  const choice = { name, namespace: options.namespace };
  const view = new WatchedView(context, { choice, options });
  // What cannot be watched at the beginning is an error, and a name that does not exist is a mistake.
  let source: WatchSource | undefined = await openSource(context, choice);
  for (let isFirst = true; source !== undefined; isFirst = false) {
    await using current: WatchSource = source;
    if (isFirst) await view.show(current.api);
    else terminal.note(current.begins);
    await follow(current, { view, ended });
    if (ended.aborted) return;
    terminal.note(`${current.ends} Ctrl-C ends this.`);
    source = await openAgain(context, { choice, ended });
  }
}

/** Resolves when nothing more comes from there, or when that is no longer of interest. */
async function follow(
  { api, isOver }: WatchSource,
  { view, ended }: { readonly view: WatchedView; readonly ended: AbortSignal },
): Promise<void> {
  const broken = new AbortController();
  using ticking = view.tick(api, (error) => broken.abort(error));
  try {
    const signal = AbortSignal.any([ended, broken.signal, ...(isOver === undefined ? [] : [isOver])]);
    for await (const event of api.events(signal)) view.take(event);
    broken.signal.throwIfAborted();
  } catch (error) {
    if (!ended.aborted && isOver?.aborted !== true && !hasEnded(error)) throw error;
  }
}

interface Again {
  readonly choice: StatusChoice;
  readonly ended: AbortSignal;
}

async function openAgain(context: CommandContext, { choice, ended }: Again): Promise<WatchSource | undefined> {
  while (!ended.aborted) {
    try {
      const source = await openSource(context, choice);
      await source.api.status();
      return source;
    } catch (error) {
      if (!hasEnded(error) && !isSilent(error)) throw error;
    }
    await delay(connectAgainMs, undefined, { signal: ended }).catch(() => undefined);
  }
  return undefined;
}

/** Nobody listens there, the answer broke off, or the files are those of the run before. */
function hasEnded(error: unknown): boolean {
  return ["KIR5050", "KIR5059", "KIR5051"].includes(asKirikaeError(error).code);
}

interface ViewOptions {
  readonly choice: StatusChoice;
  readonly options: StatusCommandOptions;
}

/** What is shown: a tree that is drawn anew, a line for each change, or a document a line. */
class WatchedView {
  readonly #terminal: Terminal;
  readonly #choice: StatusChoice;
  readonly #form: "tree" | "lines" | "json";
  readonly #changes = new ReleaseChanges();
  readonly #clusterChanges = new ClusterChanges();
  readonly #followed = new FollowedReleases();
  /** Releases of clusters that were under way while somebody watched; how they ended is still shown. */
  readonly #seen = new Set<string>();
  #isStale = false;

  constructor({ terminal }: CommandContext, { choice, options }: ViewOptions) {
    this.#terminal = terminal;
    this.#choice = choice;
    this.#form = options.json === true ? "json" : terminal.isInteractive ? "tree" : "lines";
  }

  /** Shows what events have changed, those that come close upon each other together, until it is disposed. */
  tick(api: ApiClient, onError: (error: unknown) => void): Disposable {
    let isShowing = false;
    let lastMs = Date.now();
    const timer = setInterval(() => {
      // What is counted down changes without an event.
      const isDue = this.#isStale || (this.#form === "tree" && Date.now() - lastMs >= 1_000);
      if (isShowing || !isDue) return;
      isShowing = true;
      lastMs = Date.now();
      this.show(api)
        .catch(onError)
        .finally(() => {
          isShowing = false;
        });
    }, showEveryMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  take(event: LiveEvent): void {
    this.#isStale = true;
    if (this.#form !== "lines") return;
    if (event.event === "release" && isChosen(event.release, this.#choice)) this.#tell([event.release]);
    const lines = event.event === "sample" ? renderSampleLines(event.sample, this.#choice.name) : "";
    if (lines !== "") this.#terminal.answer(lines);
  }

  async show(api: ApiClient): Promise<void> {
    this.#isStale = false;
    const seen = await readStatus(api, { ...this.#choice, followed: this.#seen });
    for (const { release } of seen.clusterReleases ?? []) this.#seen.add(release);
    const status = { ...seen, releases: await this.#followed.complete(api, seen.releases) };
    const { columns, ink } = this.#terminal;
    switch (this.#form) {
      case "json":
        return this.#terminal.answer(renderJson(status));
      case "tree":
        return this.#terminal.redraw(
          renderStatus(status, { ink, columns, nowMs: Date.now(), isAboutOne: this.#choice.name !== undefined }),
        );
      case "lines":
        this.#tell(status.releases);
        // Where nobody could ask the cluster, nothing has gone.
        if (status.clusterReleases === undefined) return;
        for (const line of this.#clusterChanges.take(status.clusterReleases)) this.#terminal.answer(line);
    }
  }

  #tell(releases: readonly ReleaseSummary[]): void {
    for (const line of this.#changes.take(releases)) this.#terminal.answer(line);
  }
}

/** Releases that were under way while somebody watched: how they ended is still shown, until another takes their place. */
class FollowedReleases {
  #active: readonly ReleaseSummary[] = [];
  #ended: readonly ReleaseSummary[] = [];

  async complete(api: ApiClient, releases: readonly ReleaseSummary[]): Promise<readonly ReleaseSummary[]> {
    const shown = new Set(releases.map(({ id }) => id));
    const gone = this.#active.filter(({ id }) => !shown.has(id));
    this.#active = releases;
    const ends = await Promise.all(gone.map(async ({ release }) => summarizeRelease(await api.release(release))));
    const isReplaced = ({ id, services }: ReleaseSummary): boolean =>
      releases.some((each) => each.id === id || each.services.some((name) => services.includes(name)));
    this.#ended = [...this.#ended, ...ends].filter((each) => !isReplaced(each));
    return [...this.#ended, ...releases];
  }
}

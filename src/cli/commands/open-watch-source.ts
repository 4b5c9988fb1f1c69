import type { ApiClient } from "../../api/client.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { CommandContext } from "../command.ts";
import { connect } from "../connect.ts";
import { findRunning, meshEnvironment } from "../reach-mesh.ts";
import { noteUnseen } from "../print/unseen.ts";
import type { StatusChoice } from "../read-status.ts";
import { noteEvent } from "./follow-release.ts";
import { currentActor } from "./move-options.ts";

/** What `status --watch` looks at. */
export interface WatchSource extends AsyncDisposable {
  readonly api: ApiClient;
  /** Aborted when there is something better to look at; absent where its events end when it does. */
  readonly isOver?: AbortSignal;
  /** What is said when it begins after something else. */
  readonly begins: string;
  readonly ends: string;
}

/** How soon an `up` that has started is found. */
const lookAgainMs = 2_000;

/**
 * The running `up`; for one cluster where none runs, that cluster, watched from here until an `up` starts. Throws KIR5050
 * where nothing runs that could be watched, and what `watchSiteHere` throws.
 */
export async function openSource(context: CommandContext, choice: StatusChoice): Promise<WatchSource> {
  const sites = context.sites?.() ?? [];
  const [site] = sites;
  if (site === undefined || sites.length > 1) return ofUp(await connect(meshEnvironment(context)));
  const running = await findRunning(meshEnvironment(context), "wanted");
  if (running !== undefined) return ofUp(running);
  const { watchSiteHere } = await import("../../app/site/watch-site-here.ts");
  const reached = await watchSiteHere(
    {
      site: { ...site, namespace: choice.namespace },
      actor: currentActor(context.env),
      onEvent: (event) => noteEvent(context, event),
    },
    context.env,
  );
  noteUnseen(reached.unseen, context.terminal);
  const started = new AbortController();
  const timer = setInterval(() => {
    void lookFor(context, started);
  }, lookAgainMs);
  return {
    api: reached.client,
    isOver: started.signal,
    begins: `${site.context} is watched from here.`,
    ends: "`kirikae up` has started, and knows more.",
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await reached[Symbol.asyncDispose]();
    },
  };
}

async function lookFor(context: CommandContext, started: AbortController): Promise<void> {
  try {
    if ((await findRunning(meshEnvironment(context), "wanted")) !== undefined) started.abort();
  } catch (error) {
    // An `up` that is just beginning, or ending, is asked again.
    if (!(error instanceof KirikaeError)) throw error;
  }
}

function ofUp(api: ApiClient): WatchSource {
  return {
    api,
    begins: "`kirikae up` has started again.",
    ends: "`kirikae up` has ended; waiting for it to start again.",
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

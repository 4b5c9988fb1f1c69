import type { ApiClient } from "../../api/client.ts";
import { listReleases } from "../../api/list-releases.ts";
import type { ApiBackend, MoveProgress, MoveResult, ReleaseStatus } from "../../api/types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { SiteRuntime } from "./site-runtime.ts";

/** The client of a site that lives in this process: what a running `up` would answer, without one. */
export function createSiteClient(runtime: SiteRuntime, context: string): ApiClient {
  const { releases } = runtime;
  const withLive = async (found: ReleaseStatus): Promise<ReleaseStatus> => {
    const seen = await releases.look([found.id]);
    return { ...found, live: seen.get(found.id) ?? null };
  };
  return {
    url: "",
    async status() {
      await runtime.askProxies();
      return runtime.status();
    },
    plan: async (request) => runtime.plan(request),
    move: (request, onProgress, signal) => moveUnlessLeft(runtime, { request, onProgress, signal }),
    history: async (name) => runtime.history(name),
    planRelease: async (source) => releases.plan(source),
    startRelease: async (source) => releases.start(source),
    releases: (query = {}) => listReleases(releases, query),
    async release(name, { namespace, live } = {}) {
      const found = releases.get(name, namespace);
      return live === false ? found : await withLive(found);
    },
    report: async (name) => releases.report(name),
    // It would end before what follows from the order has.
    orderRelease: (name) => Promise.reject(nothingRuns(context, `carries out what ${name} is told`)),
    caller: async (workload) => runtime.caller(workload),
    createPageUrl: () => Promise.reject(nothingRuns(context, "serves the status page")),
    // What happens is told by what runs for long alone.
    async *events() {},
  };
}

interface AskedMove {
  readonly request: Parameters<ApiBackend["move"]>[0];
  readonly onProgress: (progress: MoveProgress) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Who asks to stop before the weights were written has changed nothing; from then on the move goes to its end, because
 * half a move is what nobody wants, and nobody else is there to end it.
 */
async function moveUnlessLeft(runtime: SiteRuntime, { request, onProgress, signal }: AskedMove): Promise<MoveResult> {
  signal?.throwIfAborted();
  return await runtime.move(request, onProgress);
}

function nothingRuns(context: string, what: string): KirikaeError {
  return new KirikaeError("KIR4062", `No \`kirikae up --context ${context}\` is running, which ${what}.`, {
    exitStatus: 3,
    hint: `Start it in another terminal: \`kirikae up --context ${context}\`; it takes up what was left.`,
  });
}

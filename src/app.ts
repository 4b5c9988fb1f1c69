import type { RunningMesh, UpEvent, UpOptions } from "./app-types.ts";
import { type RunningApi, startApi } from "./api/server.ts";
import { startBackgroundWork } from "./app/local/background-work.ts";
import { bringUp, realParts, type UpParts } from "./app/local/bring-up.ts";
import { findCallToTry } from "./app/local/call-to-try.ts";
import { startDemo } from "./app/local/demo.ts";
import { MeshRuntime } from "./app/local/mesh-runtime.ts";
import { warnOfDefect } from "./app/warn-of-defect.ts";
import { createJudges } from "./judges/create-judges.ts";
import { readSecret } from "./local/read-secret.ts";
import type { StateFolder } from "./local/state-folder.ts";

/**
 * Runs a folder of manifests until it is disposed. Returns once requests are served; `ready` was reported then.
 * @throws KirikaeError as `bringUp` does, and KIR5056 when the API's port cannot be taken; what was started is stopped
 * then, and what an earlier kirikae left runs on. The signal's reason when it fires before that.
 */
export async function up(options: UpOptions, parts: UpParts = realParts): Promise<RunningMesh> {
  await using starting = new AsyncDisposableStack();
  const stopped = Promise.withResolvers<void>();
  // Whoever runs the mesh may only wait for its disposal.
  stopped.promise.catch(() => undefined);
  const { applier, state, manifests, fate } = await bringUp(options, parts, starting);
  const onEvent = (event: UpEvent): void => options.onEvent(event);
  const { folder, allowsCommands = false } = options;
  const runtime = new MeshRuntime(applier, {
    ask: createJudges({ folder, allowsCommands }),
    allowsCommands,
    readSecret: (source) => readSecret(source, { folder }),
  });
  starting.defer(() => runtime.idle());
  // Whatever a release is told first is told once it is known what was answered until then.
  await runtime.lookSoon();
  const onDefect = warnOfDefect(onEvent, "a request of the API");
  const api = starting.use(await serveApi({ runtime, state, options, onDefect }));
  runtime.releases.resume();
  const { target, workloads } = applier;
  starting.use(
    startBackgroundWork({
      folder: options.folder,
      manifests,
      runtime,
      target,
      workloads,
      onEvent,
    }),
  );
  const { gateways, services, callers } = runtime.status();
  const demo = options.demo ? startDemo(applier.current.table, { gateways, callers }) : undefined;
  if (demo !== undefined) starting.use(demo);
  options.signal?.throwIfAborted();
  fate.begin();
  const callToTry = findCallToTry(applier.current.table, services);
  options.onEvent({ kind: "ready", api: api.url, pageUrl: api.pageUrl(), gateways, services, callers, callToTry });
  return runningMesh(starting.move(), stopped);
}

interface ApiParts {
  readonly runtime: MeshRuntime;
  readonly state: StateFolder;
  readonly options: UpOptions;
  readonly onDefect: (error: unknown) => void;
}

function serveApi({ runtime, state, options, onDefect }: ApiParts): Promise<RunningApi> {
  return startApi(runtime, {
    tokenFile: state.token,
    addressFile: state.apiAddress,
    port: options.apiPort,
    actor: options.actor,
    onDefect,
  });
}

function runningMesh(stack: AsyncDisposableStack, stopped: PromiseWithResolvers<void>): RunningMesh {
  return {
    stopped: stopped.promise,
    async [Symbol.asyncDispose]() {
      await stack.disposeAsync();
      stopped.resolve();
    },
  };
}

import type { UpEvent } from "../app-types.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { ManifestSet } from "../local/manifest-folder.ts";
import { watchManifests } from "../local/manifest-watch.ts";
import type { LocalWorkloads } from "../local/workloads.ts";
import type { LocalEnvoyTarget } from "../targets/local-envoy/local-envoy-target.ts";
import type { MeshRuntime } from "./mesh-runtime.ts";

export interface BackgroundParts {
  readonly folder: string;
  readonly manifests: ManifestSet;
  readonly runtime: MeshRuntime;
  readonly target: LocalEnvoyTarget;
  readonly workloads: LocalWorkloads;
  onEvent(event: UpEvent): void;
  /** Something that cannot be gone on from. */
  onFailure(error: unknown): void;
}

const sampleIntervalMs = 1_000;

/** Watches the folder, the readiness of replicas and the traffic, until disposed. */
export function startBackgroundWork(parts: BackgroundParts): AsyncDisposable {
  const stack = new AsyncDisposableStack();
  stack.use(followEndpoints(parts));
  stack.use(followTraffic(parts));
  stack.use(followManifests(parts));
  return stack;
}

function followManifests({ folder, manifests, runtime, onEvent, onFailure }: BackgroundParts): AsyncDisposable {
  return watchManifests(folder, {
    known: manifests,
    async onChange(changed) {
      await runtime.apply(changed).catch(onFailure);
    },
    onError: (error) => onEvent({ kind: "warning", message: `the manifests cannot be read: ${error.message}` }),
  });
}

/** A replica that comes, goes or changes its readiness is told to the proxies; several at once are told together. */
function followEndpoints({ runtime, target, workloads, onFailure }: BackgroundParts): AsyncDisposable {
  let isWanted = false;
  let running: Promise<void> | undefined;
  const push = async (): Promise<void> => {
    while (isWanted) {
      isWanted = false;
      await target.updateEndpoints();
      runtime.publishStatus();
    }
    running = undefined;
  };
  const watching = workloads.onChange(() => {
    isWanted = true;
    running ??= push().catch(onFailure);
  });
  return {
    async [Symbol.asyncDispose]() {
      watching[Symbol.dispose]();
      isWanted = false;
      await running;
    },
  };
}

function followTraffic({ runtime, onEvent, onFailure }: BackgroundParts): AsyncDisposable {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= runtime
      .sample()
      .catch((error: unknown) => {
        // A proxy that is busy or restarting has no numbers for a moment; the graph shows the gap.
        if (!(error instanceof KirikaeError)) return onFailure(error);
        onEvent({ kind: "warning", message: error.message });
      })
      .finally(() => {
        running = undefined;
      });
  }, sampleIntervalMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}

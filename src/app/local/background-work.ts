import type { UpEvent } from "../../app-types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import type { ManifestSet } from "../../local/manifest-folder.ts";
import { watchManifests } from "../../local/manifest-watch.ts";
import type { LocalWorkloads } from "../../local/workloads.ts";
import type { LocalEnvoyTarget } from "../../targets/local-envoy/local-envoy-target.ts";
import type { MeshRuntime } from "./mesh-runtime.ts";
import { warnOfDefect } from "../warn-of-defect.ts";

export interface BackgroundParts {
  readonly folder: string;
  readonly manifests: ManifestSet;
  readonly runtime: MeshRuntime;
  readonly target: LocalEnvoyTarget;
  readonly workloads: LocalWorkloads;
  readonly onEvent: (event: UpEvent) => void;
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

function followManifests({ folder, manifests, runtime, onEvent }: BackgroundParts): AsyncDisposable {
  return watchManifests(folder, {
    known: manifests,
    async onChange(changed) {
      await runtime.apply(changed).catch(warnOfDefect(onEvent, "applying the saved manifests"));
    },
    onError: (error) => onEvent({ kind: "warning", message: `the manifests cannot be read: ${error.message}` }),
  });
}

/** A replica that comes, goes or changes its readiness is told to the proxies; several at once are told together. */
function followEndpoints({ runtime, target, workloads, onEvent }: BackgroundParts): AsyncDisposable {
  let isWanted = false;
  let running: Promise<void> | undefined;
  const push = async (): Promise<void> => {
    while (isWanted) {
      isWanted = false;
      await target.updateEndpoints();
      runtime.publishStatus();
    }
  };
  const watching = workloads.onChange(() => {
    isWanted = true;
    running ??= push()
      .catch(warnOfDefect(onEvent, "telling the proxies of changed replicas"))
      .finally(() => {
        running = undefined;
      });
  });
  return {
    async [Symbol.asyncDispose]() {
      watching[Symbol.dispose]();
      isWanted = false;
      await running;
    },
  };
}

function followTraffic({ runtime, onEvent }: BackgroundParts): AsyncDisposable {
  let running: Promise<void> | undefined;
  const warned = new Set<string>();
  const timer = setInterval(() => {
    running ??= runtime
      .sample()
      .then(
        () => warned.clear(),
        (error: unknown) => {
          // A proxy that is busy or restarting has no numbers for a moment; the graph shows the gap.
          const message =
            error instanceof KirikaeError ? error.message : `reading the traffic failed: ${String(error)}`;
          // Said once and not every second.
          if (!warned.has(message)) onEvent({ kind: "warning", message });
          warned.add(message);
        },
      )
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

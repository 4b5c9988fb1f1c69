import type { UpEvent } from "../../app-types.ts";
import type { SiteRuntime } from "./site-runtime.ts";

const sampleIntervalMs = 1_000;
/** istiod and the proxies are asked what they have this often while somebody may look. */
const proxiesIntervalMs = 3_000;

/** Asks proxies and their control plane again and again, for those who watch, until it is disposed. */
export function keepAsking(
  runtime: Pick<SiteRuntime, "sample" | "askProxies" | "publishStatus">,
  onEvent: (event: UpEvent) => void,
): AsyncDisposable {
  const stack = new AsyncDisposableStack();
  const askProxies = async (): Promise<void> => {
    await runtime.askProxies();
    runtime.publishStatus();
  };
  stack.use(repeat(() => runtime.sample(), { everyMs: sampleIntervalMs, onEvent }));
  stack.use(repeat(askProxies, { everyMs: proxiesIntervalMs, onEvent }));
  return stack;
}

interface Repetition {
  readonly everyMs: number;
  readonly onEvent: (event: UpEvent) => void;
}

/** One at a time; what fails again and again with the same words is told once. */
function repeat(work: () => Promise<void>, { everyMs, onEvent }: Repetition): AsyncDisposable {
  let running: Promise<void> | undefined;
  let told: string | undefined;
  const tell = (error: unknown): void => {
    const message = error instanceof Error ? error.message : String(error);
    if (message !== told) onEvent({ kind: "warning", message });
    told = message;
  };
  const run = async (): Promise<void> => {
    try {
      await work();
      told = undefined;
    } catch (error) {
      tell(error);
    } finally {
      running = undefined;
    }
  };
  const timer = setInterval(() => {
    running ??= run();
  }, everyMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}

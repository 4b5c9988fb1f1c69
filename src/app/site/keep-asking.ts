import type { UpEvent } from "../../app-types.ts";
import { errorText } from "../../core/diagnostics/error-text.ts";
import { isNoAnswer } from "../../targets/istio/is-no-answer.ts";
import { warnOfDefect } from "../warn-of-defect.ts";
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
  stack.use(
    repeat(() => runtime.sample(), {
      everyMs: sampleIntervalMs,
      doing: "reading the counters of the proxies",
      onEvent,
    }),
  );
  stack.use(repeat(askProxies, { everyMs: proxiesIntervalMs, doing: "asking what the proxies have", onEvent }));
  return stack;
}

interface Repetition {
  readonly everyMs: number;
  /** For the warning of a defect, such as `asking the proxies`. */
  readonly doing: string;
  readonly onEvent: (event: UpEvent) => void;
}

/**
 * One at a time; what fails again and again with the same words is told once. A defect is told as one, and ends neither
 * the asking nor what runs beside it.
 */
function repeat(work: () => Promise<void>, { everyMs, doing, onEvent }: Repetition): AsyncDisposable {
  let running: Promise<void> | undefined;
  let told: string | undefined;
  const tell = (event: UpEvent): void => {
    const text = JSON.stringify(event);
    if (text !== told) onEvent(event);
    told = text;
  };
  const tellDefect = warnOfDefect(tell, doing);
  const run = async (): Promise<void> => {
    try {
      await work();
      told = undefined;
    } catch (error) {
      if (isNoAnswer(error)) tell({ kind: "warning", message: errorText(error) });
      else tellDefect(error);
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

/** Waits for work that can be left alone, or until the signal says to stop; then it rejects with the signal's reason. */
export async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work;
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    // Whichever comes second has nobody left to hear of it.
    work.catch(() => undefined);
    aborted.promise.catch(() => undefined);
  }
}

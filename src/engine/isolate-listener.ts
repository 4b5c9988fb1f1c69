/**
 * Wraps a listener so that its defects stay its own: what it throws is reported once and never reaches whom it listens
 * to. A move must not end half-way because somebody who watches it failed.
 */
export function isolateListener<T>(
  listener: (value: T) => void,
  report: (error: unknown) => void = warn,
): (value: T) => void {
  let isReported = false;
  return (value) => {
    try {
      listener(value);
    } catch (error) {
      if (isReported) return;
      isReported = true;
      reportSafely(error, report);
    }
  };
}

/** The report may go to another listener, which may be as broken. */
function reportSafely(error: unknown, report: (error: unknown) => void): void {
  try {
    report(error);
  } catch (second) {
    warn(error);
    warn(second);
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? (error.stack ?? error.message) : String(error), "KirikaeDefect");
}

import type { Reporter, TestModule } from "vitest/node";

/** Ends the run with the plain line that CI reads: `N passed, N failed`, with skips where there are any. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const state = test.result().state;
        if (state !== "pending") counts[state] += 1;
      }
      const failedWithoutTest = module.state() === "failed" && tests.every((test) => test.result().state !== "failed");
      if (failedWithoutTest) counts.failed += 1;
    }
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  }
}

import { globSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";
import { coreFiles, isCoreOnly } from "./cluster/core-files.ts";

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
    if (modules.some(({ project }) => project.name === "cluster")) process.stdout.write(leftOut());
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed${skipped}\n`);
  }
}

/** What a run of all projects does not do, so that nobody takes it for all there is. */
function leftOut(): string {
  if (!isCoreOnly) return "";
  const files = globSync("cluster/**/*.test.ts", { cwd: import.meta.dirname });
  return (
    `NOTE: ${files.length - coreFiles.length} of ${files.length} files of test/cluster (faults, other writers, every case of istiod) ` +
    "run in `npm run test:cluster` and `.ci/run`.\n"
  );
}

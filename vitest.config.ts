import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { coreFiles, isCoreOnly } from "./test/cluster/core-files.ts";

// Tests start hundreds of processes from TypeScript: what one of them has compiled, the next one takes from here.
process.env["NODE_COMPILE_CACHE"] ??= join(tmpdir(), "node-compile-cache");

/** These count requests per second or keep both cores busy for long: beside other tests, either would suffer. */
const alone = ["test/e2e/switch-under-load.test.ts", "test/crash/envoy-faults.test.ts"];

const realEnvoy = {
  globalSetup: ["test/envoy-binary.setup.ts"],
  // A test that is cut off leaves its processes running, and a busy machine takes three times as long.
  testTimeout: 180_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    reporters: ["default", "./test/closing-line-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          // Commands are processes here, and a busy machine takes many times as long.
          testTimeout: 30_000,
          // To load the same modules for each of 250 files takes longer than most of their tests.
          isolate: false,
          setupFiles: ["test/draws.setup.ts"],
          include: ["src/**/*.test.ts", "test/*.test.ts", "test/contract/**/*.test.ts", "test/load/*.test.ts"],
        },
      },
      {
        test: {
          ...realEnvoy,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "test/crash/**/*.test.ts"],
          exclude: alone,
          // Most of the time goes into waiting for processes, so three files at a time fit on two cores.
          maxWorkers: 3,
          isolate: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...realEnvoy,
          name: "alone",
          include: alone,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...realEnvoy,
          name: "cluster",
          include: isCoreOnly ? [...coreFiles] : ["test/cluster/**/*.test.ts"],
          globalSetup: [...realEnvoy.globalSetup, "test/cluster-programs.setup.ts"],
          fileParallelism: false,
          // All files run in one process, one after the other, and share one cluster: an API server takes ten seconds to start.
          isolate: false,
          hookTimeout: 180_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});

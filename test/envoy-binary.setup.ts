import type { TestProject } from "vitest/node";
import { findEnvoy } from "../src/local/envoy-binary.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The Envoy that every end-to-end test runs: `inject("envoyBinary")`. */
    envoyBinary: { readonly path: string; readonly version: string };
  }
}

/** Finds or fetches Envoy once, before the first test, and gives it to tests and to the processes that they start. */
export default async function setup(project: TestProject): Promise<void> {
  const { path, version } = await findEnvoy({
    env: process.env,
    onProgress: (message) => process.stderr.write(`${message}\n`),
  });
  process.env["KIRIKAE_ENVOY"] = path;
  project.provide("envoyBinary", { path, version });
}

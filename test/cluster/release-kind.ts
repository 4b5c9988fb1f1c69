import { setTimeout as delay } from "node:timers/promises";
import { buildReleaseCrd } from "../../src/core/manifest/schema/build-crd.ts";
import type { Kubectl } from "./kubectl.ts";

/** Makes the API server serve Releases, as an installation does. It stays: several files need it. */
export async function installReleaseKind(kubectl: Kubectl): Promise<void> {
  await kubectl.apply(buildReleaseCrd(), ["--server-side", "--force-conflicts"]);
  await waitForReleaseKind(kubectl);
}

/** `kubectl wait` fails on a definition that has no condition yet, so that it is asked for until it is served. */
export async function waitForReleaseKind(kubectl: Kubectl): Promise<void> {
  const until = Date.now() + 30_000;
  for (;;) {
    const { exitCode, stderr } = await kubectl.try(["get", "releases", "--all-namespaces"]);
    if (exitCode === 0) return;
    if (Date.now() > until) throw new Error(`Releases are not served: ${stderr}`);
    await delay(100);
  }
}

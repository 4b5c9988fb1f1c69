import type { ReleaseSpec } from "../src/core/manifest/release.ts";

/** A Release of `shop/web` to green that says nothing else. */
export const bareSpec: ReleaseSpec = {
  routes: [{ namespace: "shop", virtualService: "web", route: undefined }],
  from: undefined,
  to: "green",
  strategy: { kind: "steps", steps: [] },
  sessionAffinity: undefined,
  maxFailed: undefined,
  probes: undefined,
  freezes: [],
  maxDuration: undefined,
  notifications: [],
};

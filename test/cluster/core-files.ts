/**
 * What `npm test` runs of this folder: a switch and releases under load, a controller that kubectl is the user of, the
 * kind and the webhook, in a minute and a half. Everything else is left to `npm run test:cluster` and `.ci/run`, because
 * `npm test` may take ten minutes.
 */
export const coreFiles: readonly string[] = [
  "test/cluster/controller-release.test.ts",
  "test/cluster/crd.test.ts",
  "test/cluster/site-moves.test.ts",
  "test/cluster/stack.test.ts",
  "test/cluster/webhook.test.ts",
];

/** Whether this run leaves the others out. */
export const isCoreOnly = process.env["KIRIKAE_CLUSTER_TESTS"] === "core";

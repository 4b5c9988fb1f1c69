import { buildReleaseCrd } from "../../src/core/manifest/schema/build-crd.ts";
import { ControllerProcess } from "./controller-process.ts";
import { installReleaseKind } from "./release-kind.ts";
import { describeCluster, test } from "./shared-cluster.ts";

const noKind = /does not serve Releases/u;

describeCluster("kirikae controller before its kind is installed", () => {
  test(
    "waits for the definition, and ends while it waits where it is told to",
    { timeout: 180_000 },
    async ({ cluster, kubectl }) => {
      await kubectl.run(["delete", "crd", "--ignore-not-found", "--timeout=60s", buildReleaseCrd().metadata.name]);
      const site = { namespace: "team", environment: { ...process.env, KUBECONFIG: cluster.api.kubeconfig } };
      {
        await using ended = await ControllerProcess.start(site, { identity: "ended" }, noKind);
        ended.lines.length = 0;
      }
      await using early = await ControllerProcess.start(site, { identity: "early" }, noKind);
      await installReleaseKind(kubectl);
      await early.whenSaid(/info leads/u);
    },
  );
});

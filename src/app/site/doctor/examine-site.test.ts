import { expect, test } from "vitest";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import type { KubeApi } from "../../../kubernetes/kube-api.ts";
import type { SiteConnection } from "../connection/connect-site.ts";
import { findIstiods } from "../connection/find-istiods.ts";
import { examineSite } from "./examine-site.ts";

const away = new KubeError("KIR4004", "the API server gave no answer", { exitStatus: 3, status: undefined });

function connectionTo(getText: () => Promise<string>): SiteConnection {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the first question alone is played.
  const api = { getText } as unknown as KubeApi;
  const options = { context: "prod", istiods: [], istioNamespace: "istio-system" };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above.
  return { api, options, namespaces: ["shop"] } as unknown as SiteConnection;
}

test.each([
  ["gives no answer", () => Promise.reject(away), "the API server gave no answer"],
  ["is another program", () => Promise.resolve("<html>"), "is not valid JSON"],
])("a server that %s is a finding", async (_what, getText, detail) => {
  const findings = await examineSite(connectionTo(getText), { namespace: undefined });
  expect(findings).toEqual([
    expect.objectContaining({ name: "API server", verdict: "fail", detail: expect.stringContaining(detail) }),
  ]);
});

const defect = (): Promise<never> => Promise.reject(new TypeError("api.getText is broken"));

test("a mistake of ours is no finding about the cluster", async () => {
  await expect(examineSite(connectionTo(defect), { namespace: undefined })).rejects.toThrow("api.getText is broken");
  await expect(findIstiods({ istiods: defect })).rejects.toThrow(TypeError);
  expect(await findIstiods({ istiods: () => Promise.reject(away) })).toBe(away.message);
});

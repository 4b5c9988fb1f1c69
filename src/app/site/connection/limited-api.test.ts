import { expect, test } from "vitest";
import type { KubeApi, ListOptions } from "../../../kubernetes/kube-api.ts";
import { KubeError } from "../../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../../kubernetes/kube-kinds.ts";
import { limitApi } from "./limited-api.ts";

function refuse(status: number): never {
  throw new KubeError("KIR4005", "not allowed", { exitStatus: 1, status });
}

/** Lists one pod in each of these namespaces, and nothing elsewhere. */
function apiOf(allowed: readonly string[], status = 403): KubeApi {
  const list = async (_kind: unknown, { namespace = "" }: ListOptions = {}) => {
    if (!allowed.includes(namespace)) refuse(status);
    return {
      resourceVersion: "7",
      items: [{ apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace } }],
    };
  };
  return { list } as unknown as KubeApi;
}

async function namespacesIn(api: KubeApi, options?: ListOptions): Promise<readonly (string | undefined)[]> {
  const { items } = await limitApi(api, ["shop", "istio-system"]).list(kubeKinds.pod, options);
  return items.map(({ metadata }) => metadata.namespace);
}

test("lists namespaces where the whole may not be listed, and those that may be are enough", async () => {
  expect(await namespacesIn(apiOf(["", "shop"]))).toEqual([""]);
  expect(await namespacesIn(apiOf(["shop", "istio-system"]))).toEqual(["shop", "istio-system"]);
  expect(await namespacesIn(apiOf(["shop"]))).toEqual(["shop"]);
});

test("rejects where nothing may be listed, where one namespace was asked for, and for any other refusal", async () => {
  await expect(namespacesIn(apiOf([]))).rejects.toMatchObject({ status: 403 });
  await expect(namespacesIn(apiOf(["shop"]), { namespace: "other" })).rejects.toMatchObject({ status: 403 });
  await expect(namespacesIn(apiOf(["shop"], 503))).rejects.toMatchObject({ status: 503 });
});

import { expect, test } from "vitest";
import type { KubeApi, WriteOptions } from "../kubernetes/kube-api.ts";
import { kubeKinds } from "../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";
import { limitToTerm } from "./leading-api.ts";

const object: KubeObject = { apiVersion: "v1", kind: "VirtualService", metadata: { name: "web" } };

/** Answers nothing before its signal is aborted. */
function play() {
  const asked: string[] = [];
  const wait = async (verb: string, { signal }: WriteOptions): Promise<KubeObject> => {
    asked.push(verb);
    await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    return object;
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the calls of this test are played.
  const api = {
    get: async () => object,
    apply: (_: unknown, __: unknown, options: WriteOptions) => wait("apply", options),
    mergePatch: (_: unknown, __: unknown, options: WriteOptions) => wait("mergePatch", options),
  } as unknown as KubeApi;
  return { api, asked };
}

test("a write that still waits for its answer when the term is over is broken off", async () => {
  const { api, asked } = play();
  const term = new AbortController();
  const limited = limitToTerm(api, term.signal);
  const caller = new AbortController();
  const options = { fieldManager: "kirikae", force: true, signal: caller.signal };
  const writes = [
    limited.apply(kubeKinds.virtualService, object, options),
    limited.mergePatch(kubeKinds.release, { name: "web" }, { patch: {} }),
  ];
  expect(asked).toEqual(["apply", "mergePatch"]);
  term.abort();
  for (const write of writes) await expect(write).rejects.toMatchObject({ code: "KIR4071", isUnreachable: false });
});

test("after the term nothing is written, and everything can be read", async () => {
  const { api, asked } = play();
  const limited = limitToTerm(api, AbortSignal.abort());
  const write = limited.apply(kubeKinds.virtualService, object, { fieldManager: "kirikae", force: true });
  await expect(write).rejects.toMatchObject({ code: "KIR4071" });
  expect(asked).toEqual([]);
  expect(await limited.get(kubeKinds.virtualService, { name: "web" })).toBe(object);
});

test("the caller's own signal still ends a write, with the caller's error", async () => {
  const { api } = play();
  const caller = new AbortController();
  const write = limitToTerm(api, new AbortController().signal).apply(kubeKinds.virtualService, object, {
    fieldManager: "kirikae",
    force: true,
    signal: caller.signal,
  });
  caller.abort();
  await expect(write).rejects.toThrow("aborted");
});

import { expect, test } from "vitest";
import type { KubeApi } from "../../kubernetes/kube-api.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { kubeKinds } from "../../kubernetes/kube-kinds.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { ApiPatience } from "./api-patience.ts";
import { type PlannedWrite, writeObjects } from "./write-objects.ts";

/** An API server that keeps objects, with what it does at each write: serve, or fail before or after it has. */
class PlayedApi {
  readonly objects = new Map<string, KubeObject>();
  readonly script: ("serve" | "lose" | "loseAnswer" | "forbid")[] = [];
  writes = 0;

  readonly api = {
    get: async (_: unknown, { name }: { readonly name: string }) => this.objects.get(name),
    apply: async (_: unknown, object: KubeObject) => {
      const what = this.script.shift() ?? "serve";
      if (what === "forbid") throw new KubeError("KIR4005", "not allowed", { exitStatus: 3, status: 403 });
      if (what === "lose") throw lost();
      const before = this.objects.get(object.metadata.name);
      if (before?.metadata.resourceVersion !== object.metadata.resourceVersion) {
        throw new KubeError("KIR4007", "written in between", { exitStatus: 1, status: 409 });
      }
      this.writes += 1;
      const resourceVersion = String(Number(object.metadata.resourceVersion) + 1);
      const answer = { ...object, metadata: { ...object.metadata, resourceVersion } };
      this.objects.set(object.metadata.name, answer);
      if (what === "loseAnswer") throw lost();
      return answer;
    },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the two calls that writing makes are played.
  } as unknown as KubeApi;
}

function lost(): KubeError {
  return new KubeError("KIR4004", "no answer", { exitStatus: 3, status: undefined });
}

function object(name: string, http: string): KubeObject {
  return { apiVersion: "v1", kind: "VirtualService", metadata: { name, resourceVersion: "1" }, spec: { http } };
}

function play(...script: PlayedApi["script"]) {
  const played = new PlayedApi();
  played.script.push(...script);
  const writes = ["one", "two"].map((name): PlannedWrite => {
    const before = object(name, "old");
    played.objects.set(name, before);
    return { kind: kubeKinds.virtualService, before, apply: object(name, "new") };
  });
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    async sleep(durationMs: number) {
      nowMs += durationMs;
    },
  };
  const patience = new ApiPatience(clock, 10_000);
  return { played, patience, run: () => writeObjects(writes, { api: played.api, patience, take: () => {} }) };
}

function specsOf({ objects }: PlayedApi): readonly unknown[] {
  return [...objects.values()].map(({ spec }) => spec);
}

test("a write whose answer is lost is read back and not repeated", async () => {
  const { played, run } = play("loseAnswer");
  expect(await run()).toMatchObject({ kind: "written" });
  expect(played.writes).toBe(2);
  expect(specsOf(played)).toEqual([{ http: "new" }, { http: "new" }]);
});

test("an API server that is away is waited for, and the time is counted once", async () => {
  const { played, patience, run } = play("serve", "lose", "lose", "lose");
  expect(await run()).toMatchObject({ kind: "written" });
  expect(played.writes).toBe(2);
  expect(patience.lostMs).toBe(700);
});

test("what was written before a refusal is taken back", async () => {
  const { played, run } = play("serve", "forbid");
  expect(await run()).toEqual({
    kind: "refused",
    resource: "VirtualService two",
    message: "not allowed (what was written to VirtualService one was taken back)",
  });
  expect(specsOf(played)).toEqual([{ http: "old" }, { http: "old" }]);
});

test("a write that nobody knows the fate of, for longer than anybody waits, is told as torn", async () => {
  const { run } = play("serve", ...Array.from({ length: 100 }, () => "lose" as const));
  expect(await run()).toMatchObject({ kind: "torn" });
});

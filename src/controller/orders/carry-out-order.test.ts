import { describe, expect, test } from "vitest";
import type { ReleaseOrder, ReleaseStatus } from "../../api/types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { readStatus } from "../status/write-status.ts";
import { type CarriedOut, carryOutOrder } from "./carry-out-order.ts";

const orderAnnotation = "kirikae.dev/order";

/** One Release in a cluster, and a release that obeys everything unless it is told why not. */
class Stage {
  object: KubeObject;
  readonly obeyed: ReleaseOrder[] = [];
  refuses: KirikaeError | undefined;
  nowMs = 1_000;
  #version = 1;

  constructor(text: string | undefined, status: object = {}) {
    const annotations = text === undefined ? {} : { [orderAnnotation]: text };
    const metadata = { namespace: "shop", name: "r", uid: "u", resourceVersion: "1", annotations };
    this.object = { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata, status };
  }

  run(): Promise<CarriedOut | undefined> {
    return carryOutOrder(this.object, {
      api: {
        get: async () => this.object,
        mergePatch: async (_kind, _name, { patch }) => this.#patch(patch),
      },
      releases: {
        order: (_name, order) => {
          if (this.refuses !== undefined) throw this.refuses;
          this.obeyed.push(order);
          return this.#release();
        },
      },
      newest: () => this.#release(),
      take: () => {},
      nowMs: () => this.nowMs,
    });
  }

  /** Somebody else writes in between. */
  annotate(text: string): void {
    this.#patch({ metadata: { annotations: { [orderAnnotation]: text } } });
  }

  #release(): ReleaseStatus {
    const events = this.obeyed.map(({ command, actor, reason = null }) => ({ ...command, actor, reason, atMs: 1_000 }));
    // Only what is read of it.
    return { phase: "holding", startedAt: "1970-01-01T00:00:00.000Z", events } as unknown as ReleaseStatus;
  }

  #patch(patch: object): KubeObject {
    const { metadata = {}, status = {} } = patch as {
      metadata?: { resourceVersion?: string; annotations?: Readonly<Record<string, string | null>> };
      status?: object;
    };
    if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== this.object.metadata.resourceVersion) {
      throw new KubeError("KIR4007", "written in between", { exitStatus: 1, status: 409 });
    }
    this.#version += 1;
    const merged = Object.entries({ ...this.object.metadata.annotations, ...metadata.annotations });
    const annotations = Object.fromEntries(merged.flatMap(([key, value]) => (value === null ? [] : [[key, value]])));
    this.object = {
      ...this.object,
      metadata: { ...this.object.metadata, annotations, resourceVersion: String(this.#version) },
      status: { ...(this.object["status"] as object), ...status },
    };
    return this.object;
  }
}

describe("an order by annotation", () => {
  test("is taken, carried out, and taken away", async () => {
    const stage = new Stage('{"order":"promote","actor":"ann","reason":"go"}');
    const carried = await stage.run();
    expect(carried?.order).toMatchObject({ state: "Accepted", actor: "ann", reason: "go" });
    expect(stage.obeyed).toEqual([{ command: { kind: "promote", full: false }, actor: "ann", reason: "go" }]);
    expect(stage.object.metadata.annotations).toEqual({});
  });

  test("that a controller has taken before it died is carried out once", async () => {
    const stage = new Stage("pause");
    await stage.run();
    // The controller died after it had carried the order out, and before it could say so anywhere.
    stage.annotate("pause");
    expect(readStatus(stage.object).lastOrder?.state).toBe("Taken");
    await expect(stage.run()).resolves.toMatchObject({ order: { state: "Accepted" } });
    expect(stage.obeyed).toHaveLength(1);
  });

  test("whose annotation is gone and which nobody carried out is said to be lost", async () => {
    const taken = { order: "pause", actor: "ann", at: "1970-01-01T00:00:01.000Z", state: "Taken" };
    const stage = new Stage(undefined, { lastOrder: taken });
    await expect(stage.run()).resolves.toMatchObject({ order: { state: "Refused" } });
    expect(stage.obeyed).toEqual([]);
  });

  test("that is none is refused with what it could be", async () => {
    const carried = await new Stage("promotte").run();
    expect(carried?.order).toMatchObject({ state: "Refused", message: expect.stringContaining("promote-full") });
  });

  test("that the release cannot follow now is refused, and one that cannot be written down is tried again", async () => {
    const stage = new Stage("resume");
    stage.refuses = new KirikaeError("KIR2034", "r cannot be resumed now", { exitStatus: 1 });
    await expect(stage.run()).resolves.toMatchObject({
      order: { state: "Refused", message: "r cannot be resumed now" },
    });

    const unwritten = new Stage("resume");
    unwritten.refuses = new KirikaeError("KIR2023", "the journal cannot be written", { exitStatus: 3 });
    await expect(unwritten.run()).rejects.toThrow("the journal cannot be written");
    unwritten.refuses = undefined;
    await expect(unwritten.run()).resolves.toMatchObject({ order: { state: "Accepted" } });
    expect(unwritten.obeyed).toHaveLength(1);
  });

  test("to start is for what has ended, and nothing asked is nothing done", async () => {
    await expect(new Stage("start").run()).resolves.toMatchObject({ order: { state: "Refused" }, starts: false });
    await expect(new Stage(undefined).run()).resolves.toBeUndefined();
  });
});

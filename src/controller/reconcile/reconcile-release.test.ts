import { expect, test } from "vitest";
import type { ReleaseStatus } from "../../api/types.ts";
import { KirikaeError } from "../../core/diagnostics/error.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import type { KubeObject } from "../../kubernetes/kube-object.ts";
import { releaseFinalizer } from "./finish-deletion.ts";
import { ReleaseReconciler } from "./reconcile-release.ts";

const key = "shop/web-del";

/** One Release that holds and is being deleted; what happens to its release is told at once, as the engine does. */
class Stage implements AsyncDisposable {
  object: KubeObject | undefined;
  phase: ReleaseStatus["phase"] = "holding";
  readonly troubles: string[] = [];
  /** What was laid over the routes, after each time that it was changed. */
  readonly layings: string[] = [];
  /** The proxies do not confirm what is laid next. */
  failsToLay = false;
  /** The watch says late that an object is gone. */
  watchIsLate = false;
  readonly reconciler: ReleaseReconciler;
  #isForgotten = false;
  /** How often its object was looked at when it was gone. */
  looksAfterwards = 0;
  /** As the API server has it. */
  #isDeleted = false;

  constructor() {
    const metadata = {
      namespace: "shop",
      name: "web-del",
      uid: "u",
      resourceVersion: "1",
      finalizers: [releaseFinalizer],
      deletionTimestamp: "2026-01-01T00:00:00Z",
    };
    this.object = { apiVersion: "kirikae.dev/v1alpha1", kind: "Release", metadata, spec: { whenDeleted: "leave" } };
    this.reconciler = new ReleaseReconciler({
      api: { get: async () => this.object, mergePatch: async (...call) => this.#patch(call[2].patch) },
      objects: { get: () => this.#look(), keys: () => [key], take: (object) => (this.object = object) },
      releases: {
        plan: () => expect.unreachable(),
        start: () => expect.unreachable(),
        look: async () => new Map(),
        get: () => this.#find(),
        order: (_name, { command }) => {
          if (command.kind === "abort") this.phase = "aborted";
          this.reconciler.releaseChanged(key);
          if (this.#isForgotten) throw new Error("No release has the id r22.");
          return this.#find();
        },
        forget: async () => this.#forget(),
      },
      writtenBy: () => [],
      journal: {
        releaseIds: () => ["r22"],
        generationOf: () => 1,
        damageOf: () => undefined,
        describe: () => ({ configMaps: [] }),
        forget: () => {},
      },
      events: { tell: () => {}, forget: () => {} },
      allows: { commands: false, secrets: false, otherNamespaces: false, checkAddress: () => {} },
      controller: "one",
      nowMs: () => performance.now(),
      onTrouble: (message) => this.troubles.push(message),
      onNote: () => {},
    });
  }

  get isGone(): boolean {
    return this.#isDeleted;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.reconciler[Symbol.asyncDispose]();
  }

  #look(): KubeObject | undefined {
    if (this.#isDeleted) this.looksAfterwards += 1;
    return this.object;
  }

  #find(): ReleaseStatus {
    if (this.#isForgotten) throw new KirikaeError("KIR2035", `No release named ${key} was started.`, { exitStatus: 2 });
    const plan = { steps: [] };
    const release = {
      id: "r22",
      release: key,
      phase: this.phase,
      steps: [],
      step: null,
      events: [],
      plan,
      untilMs: null,
    };
    // Only what is read of it.
    return release as unknown as ReleaseStatus;
  }

  async #forget(): Promise<void> {
    this.#isForgotten = true;
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (this.failsToLay) {
      this.failsToLay = false;
      throw new KirikaeError("KIR2041", "The routes of the release are not live.", { exitStatus: 1 });
    }
    this.layings.push("without it");
  }

  async #patch(patch: object): Promise<KubeObject> {
    if (this.#isDeleted || this.object === undefined) {
      throw new KubeError("KIR4005", "It is not there.", { exitStatus: 3, status: 404 });
    }
    const { metadata = {}, status = {} } = patch as { metadata?: { finalizers?: readonly string[] }; status?: object };
    const written = { ...this.object, metadata: { ...this.object.metadata, ...metadata }, status };
    if (metadata.finalizers?.length !== 0) return written;
    this.#isDeleted = true;
    if (!this.watchIsLate) this.object = undefined;
    // Whatever was written before it comes by the watch as well.
    this.reconciler.objectChanged(key);
    return written;
  }
}

test("a Release that is deleted on its way ends, is forgotten once, and goes without a word of trouble", async () => {
  await using stage = new Stage();
  stage.reconciler.start();
  await expect.poll(() => stage.isGone).toBe(true);
  expect(stage.troubles).toEqual([]);
  expect(stage.layings).toEqual(["without it"]);
});

test("one that the watch still shows after it has gone is asked for nothing more", async () => {
  await using stage = new Stage();
  stage.watchIsLate = true;
  stage.reconciler.start();
  await expect.poll(() => stage.isGone).toBe(true);
  await expect.poll(() => stage.looksAfterwards).toBeGreaterThan(1);
  await stage.reconciler[Symbol.asyncDispose]();
  expect(stage.troubles).toEqual([]);
  expect(stage.layings).toEqual(["without it"]);
});

test("what it has laid over the routes is taken away later where the proxies did not confirm it, before it goes", async () => {
  await using stage = new Stage();
  stage.failsToLay = true;
  stage.reconciler.start();
  await expect.poll(() => stage.isGone, { timeout: 5_000 }).toBe(true);
  expect(stage.troubles).toEqual([`Release ${key}: The routes of the release are not live.`]);
  expect(stage.layings).toEqual(["without it"]);
});

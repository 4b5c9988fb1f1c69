import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type ApiClient, connectApi } from "../../src/api/client.ts";
import type { HistoryEntry, ReleaseStatus } from "../../src/api/types.ts";
import { type Backend, startBackend } from "../../test/e2e/xds-fixture.ts";
import { type MeshShape, meshNamespace, meshTexts } from "../compile/mesh-texts.ts";
import { residentBytes, type RunningUp, startUp } from "../fronts/up-process.ts";

/** `kirikae up` with many VirtualServices, of which each release has one. */
export class LargeMesh implements AsyncDisposable {
  readonly #up: RunningUp;
  readonly #api: ApiClient;
  readonly #backends: readonly Backend[];
  #started = 0;

  private constructor(up: RunningUp, api: ApiClient, backends: readonly Backend[]) {
    this.#up = up;
    this.#api = api;
    this.#backends = backends;
  }

  static async create(folder: string, virtualServices: number): Promise<LargeMesh> {
    const backends = [await startBackend("blue"), await startBackend("green")];
    const [blue = 0, green = 0] = backends.map(({ port }) => port);
    const manifests = join(folder, "manifests");
    await mkdir(manifests, { recursive: true });
    const shape: MeshShape = { virtualServices, wildcardEvery: 10 };
    for (const { path, text } of meshTexts(shape, { blue, green })) await writeFile(join(manifests, path), text);
    const up = await startUp({ manifests, stateFolder: join(folder, "state"), concurrency: 2 });
    return new LargeMesh(up, await connectApi(up.apiFiles), backends);
  }

  get startedInMs(): number {
    return this.#up.startedInMs;
  }

  residentBytes(): Promise<number> {
    return residentBytes(this.#up.pid);
  }

  /** What kirikae itself has used of a processor since it started, in ms, without the proxy (proc(5), utime and stime). */
  async cpuMs(): Promise<number> {
    const stat = await readFile(`/proc/${this.#up.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }

  /** Starts a release of a VirtualService that no other has; 0 is left for single switches. */
  async start(spec: string): Promise<ReleaseStatus> {
    this.#started += 1;
    const name = `r${this.#started}`;
    const text = `
apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: ${name}, namespace: ${meshNamespace} }
spec:
  routes: [{ virtualService: app-${this.#started}, route: public }]
  to: green
  ${spec}
`;
    return await this.#api.startRelease({ path: `${name}.yaml`, text, actor: "bench" });
  }

  /** Waits for the event that ends the first step; throws where it has failed. */
  async firstStep({ plan }: ReleaseStatus): Promise<ReleaseStatus> {
    for (;;) {
      const status = await this.#api.release(plan.release, { live: false });
      const failed = status.events.find(({ kind }) => kind === "moveFailed");
      if (failed !== undefined) throw new Error(`${plan.release}: ${status.message}`);
      if (status.events.some(({ kind }) => kind === "moved")) return status;
      await delay(20);
    }
  }

  /** Waits until none of the releases is on its way to its first step any more; throws where one has failed. */
  async allBegun(): Promise<void> {
    for (;;) {
      const all = await this.#api.releases({ limit: 999, active: true });
      const failed = all.find(({ phase }) => phase === "failed");
      if (failed !== undefined) throw new Error(`${failed.release}: ${failed.message}`);
      if (all.every(({ phase }) => phase !== "planned" && phase !== "moving")) return;
      await delay(200);
    }
  }

  /** Moves the VirtualService that no release has; from the call until the caller was told that it is proved, in ms. */
  async switchOnce(count: number): Promise<number> {
    const beganMs = performance.now();
    let provedMs = Number.NaN;
    const { ok } = await this.#api.move(
      {
        verb: "shift",
        name: "app-0",
        namespace: meshNamespace,
        route: "public",
        to: { green: 20 + (count % 50) },
        actor: "bench",
        reason: undefined,
      },
      ({ kind }) => {
        if (kind === "proved") provedMs = performance.now();
      },
    );
    if (!ok) throw new Error("A switch beside the releases has failed.");
    return provedMs - beganMs;
  }

  history(): Promise<readonly HistoryEntry[]> {
    return this.#api.history(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#up[Symbol.asyncDispose]();
    for (const backend of this.#backends) await backend[Symbol.asyncDispose]();
  }
}

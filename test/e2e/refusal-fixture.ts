import { vi } from "vitest";
import { blocksServing, type Diagnostic } from "../../src/core/diagnostics/diagnostic.ts";
import { buildMeshModel, type MeshModel } from "../../src/core/mesh-model.ts";
import { judgeSecrets } from "../../src/local/judge-secrets.ts";
import type { TableReport } from "../../src/targets/local-envoy/table-push.ts";
import { XdsFixture } from "./xds-fixture.ts";

/** What `check` and a real Envoy say about the same manifests. */
export interface Judgement {
  readonly errors: readonly Diagnostic[];
  /** Undefined where `check` has found an error that keeps the manifests from being served. */
  readonly report: TableReport | undefined;
  /** When `check` was done, as `performance.now()`. */
  readonly builtMs: number;
}

/** A real Envoy that is given one set of manifests after another. Its listeners get whatever port is free. */
export class Judge implements AsyncDisposable {
  readonly #fixture: XdsFixture;

  private constructor(fixture: XdsFixture) {
    this.#fixture = fixture;
  }

  static async open(first: string): Promise<Judge> {
    const fixture = await XdsFixture.open();
    const target = await fixture.startTarget({ bind: () => ({ address: "127.0.0.1", port: 0 }), drainMs: 0 });
    await fixture.startEnvoy("envoy-1", { concurrency: 1 });
    await vi.waitUntil(() => target.status()[0]?.connected === true, { timeout: 20_000 });
    const { table } = await readMesh(first);
    // Envoy answers its first push only after a while of its own.
    await vi.waitUntil(async () => (await target.applyTable(table, new Map())).kind === "applied", { timeout: 30_000 });
    return new Judge(fixture);
  }

  /** Pushes what `up` would push. */
  async judge(yaml: string): Promise<Judgement> {
    const { table, diagnostics } = await readMesh(yaml);
    const errors = diagnostics.filter(({ level }) => level === "error");
    const builtMs = performance.now();
    if (diagnostics.some(blocksServing)) return { errors, report: undefined, builtMs };
    return { errors, report: await this.#fixture.target.applyTable(table, new Map()), builtMs };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#fixture[Symbol.asyncDispose]();
  }
}

/** As `up` and `check` do, with the certificates that are no use left out. */
function readMesh(text: string): Promise<MeshModel> {
  return judgeSecrets(buildMeshModel([{ path: "mesh.yaml", text }], { defaultNamespace: "default" }));
}

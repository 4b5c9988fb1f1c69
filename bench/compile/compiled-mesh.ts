import type { SourceText } from "../../src/core/manifest/manifest.ts";
import { MeshModelBuilder, type ServableModel } from "../../src/core/mesh-model.ts";
import type { ResourceType } from "../../src/xds/resource-types.ts";
import { XdsFixture } from "../../test/e2e/xds-fixture.ts";
import { meshNamespace } from "./mesh-texts.ts";

/** Where the time of one change went, in ms; `total` is from the text of a file until Envoy's ACK. */
interface ChangeTimes {
  /** YAML to manifests, linking and building: everything until there is a route table. */
  readonly build: number;
  readonly encode: number;
  readonly pushToAck: number;
  readonly total: number;
  /** After the ACK: every worker thread has shown that it uses the change. */
  readonly proof: number;
}

export interface MeasuredChange extends ChangeTimes {
  readonly bytes: number;
  /** Types of which something was sent. */
  readonly types: readonly ResourceType[];
}

/** A busy machine makes figures that say little, and is no reason to end without any. */
const timeoutMs = 120_000;

const options = { defaultNamespace: meshNamespace };

/** What `kirikae up` does with manifests, without the folder: model, target and a real Envoy. */
export class CompiledMesh implements AsyncDisposable {
  readonly fixture: XdsFixture;
  readonly #builder = new MeshModelBuilder();
  #sources: readonly SourceText[];
  #model: ServableModel | undefined;

  private constructor(fixture: XdsFixture, sources: readonly SourceText[]) {
    this.fixture = fixture;
    this.#sources = sources;
  }

  /** Nothing is built yet. */
  static async open(sources: readonly SourceText[]): Promise<CompiledMesh> {
    await using stack = new AsyncDisposableStack();
    const fixture = stack.use(await XdsFixture.open());
    await fixture.startTarget({ drainMs: 50 });
    stack.move();
    return new CompiledMesh(fixture, sources);
  }

  get model(): ServableModel {
    if (this.#model === undefined) throw new Error("nothing was built yet");
    return this.#model;
  }

  get sources(): readonly SourceText[] {
    return this.#sources;
  }

  /** @returns ms for the first model of all texts */
  buildCold(): number {
    const startMs = performance.now();
    this.#model = this.#builder.buildServable(this.#sources, options);
    return performance.now() - startMs;
  }

  /** Starts Envoy with the model. @returns ms until it had everything and served */
  async serveCold(): Promise<number> {
    const startMs = performance.now();
    const { fixture } = this;
    await fixture.target.applyTable(this.model.table, new Map());
    await fixture.startEnvoy();
    const report = await fixture.target.confirm({ timeoutMs });
    if (report.kind !== "applied") throw new Error(`Envoy did not take the mesh: ${JSON.stringify(report)}`);
    await fixture.whenLive();
    return performance.now() - startMs;
  }

  /** Makes other texts live: those of changed, added and (`undefined`) removed files, by path. */
  async change(texts: ReadonlyMap<string, string | undefined>): Promise<MeasuredChange> {
    const { target } = this.fixture;
    const sources = replaceTexts(this.#sources, texts);
    const sentBefore = target.bytesSent;
    const startMs = performance.now();
    const model = this.#builder.buildServable(sources, options);
    const builtMs = performance.now();
    const report = await target.applyTable(model.table, new Map(), { timeoutMs });
    if (report.kind !== "applied") throw new Error(`Envoy did not take the change: ${JSON.stringify(report)}`);
    this.#sources = sources;
    this.#model = model;
    const [proof] = report.proxies;
    if (proof === undefined) throw new Error("no proxy was connected");
    const build = builtMs - startMs;
    const types = (Object.keys(sentBefore) as ResourceType[]).filter(
      (type) => target.bytesSent[type] !== sentBefore[type],
    );
    return {
      build,
      encode: report.encodeMs,
      pushToAck: proof.ackMs - report.encodeMs,
      total: build + proof.ackMs,
      proof: proof.workersMs - proof.ackMs,
      bytes: types.reduce((sum, type) => sum + target.bytesSent[type] - sentBefore[type], 0),
      types,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fixture[Symbol.asyncDispose]();
  }
}

function replaceTexts(
  sources: readonly SourceText[],
  texts: ReadonlyMap<string, string | undefined>,
): readonly SourceText[] {
  const added = new Map(texts);
  const kept = sources.flatMap((source) => {
    if (!added.has(source.path)) return [source];
    const text = added.get(source.path);
    added.delete(source.path);
    return text === undefined ? [] : [{ path: source.path, text }];
  });
  return [...kept, ...[...added].flatMap(([path, text]) => (text === undefined ? [] : [{ path, text }]))];
}

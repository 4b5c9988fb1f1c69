import { KubeError } from "../src/kubernetes/kube-error.ts";
import type { KubeApi } from "../src/kubernetes/kube-api.ts";
import type { KubeObject } from "../src/kubernetes/kube-object.ts";

/** What becomes of one request: `lost` is done and never answered, `never` does not arrive. */
export type Fate = "answered" | "lost" | "never";

/** ConfigMaps as an API server keeps them: resourceVersions guard patches, and answers can be lost. */
export class ConfigMaps implements Pick<KubeApi, "create" | "get" | "list" | "mergePatch"> {
  readonly #objects = new Map<string, KubeObject>();
  readonly #fates: Fate[] = [];
  #version = 0;

  /** Of the next requests, in their order; all after them are answered. */
  next(...fates: readonly Fate[]): void {
    this.#fates.push(...fates);
  }

  all(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  /** Changes an object past everything that guards it. */
  tamper(name: string, change: (object: KubeObject) => KubeObject): void {
    const found = this.#objects.get(name);
    if (found !== undefined) this.#store(change(found));
  }

  async create(_kind: unknown, object: KubeObject): Promise<KubeObject> {
    return this.#request(() => this.createNow(object));
  }

  async get(_kind: unknown, { name }: { readonly name: string }): Promise<KubeObject | undefined> {
    return this.#request(() => this.#objects.get(name));
  }

  async list(): Promise<{ readonly resourceVersion: string; readonly items: readonly KubeObject[] }> {
    return this.#request(() => ({ resourceVersion: String(this.#version), items: this.all() }));
  }

  async mergePatch(
    _kind: unknown,
    { name }: { readonly name: string },
    { patch }: { readonly patch: object },
  ): Promise<KubeObject> {
    return this.#request(() => this.patchNow(name, patch));
  }

  createNow(object: KubeObject): KubeObject {
    if (this.#objects.has(object.metadata.name)) throw refusal(409, "AlreadyExists");
    return this.#store(object);
  }

  patchNow(name: string, patch: object): KubeObject {
    const found = this.#objects.get(name);
    if (found === undefined) throw refusal(404, "NotFound");
    const { metadata = {}, data = {} } = patch as {
      readonly metadata?: {
        readonly resourceVersion?: string;
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly data?: Readonly<Record<string, string | null>>;
    };
    const { resourceVersion } = metadata;
    if (resourceVersion !== undefined && resourceVersion !== found.metadata.resourceVersion) {
      throw refusal(409, "Conflict");
    }
    const values = Object.entries({ ...(found["data"] as object), ...data }).filter(([, value]) => value !== null);
    const annotations = { ...found.metadata.annotations, ...metadata.annotations };
    return this.#store({ ...found, metadata: { ...found.metadata, annotations }, data: Object.fromEntries(values) });
  }

  #request<Result>(act: () => Result): Result {
    const fate = this.#fates.shift() ?? "answered";
    if (fate === "never") throw unreachable();
    const result = act();
    if (fate === "lost") throw unreachable();
    return result;
  }

  #store(object: KubeObject): KubeObject {
    this.#version += 1;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    this.#objects.set(object.metadata.name, stored);
    return stored;
  }
}

function refusal(status: number, reason: string): KubeError {
  return new KubeError("KIR4007", reason, { exitStatus: 1, status, reason });
}

function unreachable(): KubeError {
  return new KubeError("KIR4004", "no answer", { exitStatus: 3, status: undefined });
}

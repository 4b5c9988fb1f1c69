import { Agent, request } from "node:https";

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly creationTimestamp?: string | undefined;
    readonly resourceVersion?: string | undefined;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** What the API server refused, with its own words. */
export class KubeRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`${status}: ${message}`);
    this.name = "KubeRefusal";
    this.status = status;
  }
}

/** The kinds that live in no namespace, of those that tests make. */
const clusterKinds = new Set([
  "Namespace",
  "Node",
  "CustomResourceDefinition",
  "ClusterRole",
  "ClusterRoleBinding",
  "IngressClass",
  "ValidatingWebhookConfiguration",
]);

/** A few calls of the Kubernetes API, one object at a time, on connections that stay open. */
export class KubeClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  readonly #host: string;
  readonly #port: number;
  readonly #token: string;

  constructor(options: { readonly host: string; readonly port: number; readonly token: string }) {
    this.#host = options.host;
    this.#port = options.port;
    this.#token = options.token;
  }

  /** @returns the answer as text. */
  get(path: string): Promise<string> {
    return this.#send("GET", path);
  }

  /**
   * Writes under the name of a field manager, where one is given.
   * @throws KubeRefusal, as all of them do.
   */
  async create(object: KubeObject, fieldManager?: string): Promise<KubeObject> {
    return JSON.parse(await this.#send("POST", writtenBy(folderOf(object), fieldManager), object)) as KubeObject;
  }

  /** Undefined where there is none. */
  async find(object: KubeObject): Promise<KubeObject | undefined> {
    try {
      return JSON.parse(await this.get(pathOf(object))) as KubeObject;
    } catch (error) {
      if (error instanceof KubeRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /** POST to a place below an object or a folder, such as `.../token`. */
  async post(path: string, body: object): Promise<unknown> {
    return JSON.parse(await this.#send("POST", path, body));
  }

  async replace(object: KubeObject, fieldManager?: string): Promise<KubeObject> {
    return JSON.parse(await this.#send("PUT", writtenBy(pathOf(object), fieldManager), object)) as KubeObject;
  }

  /** Puts its status in the place of the one that is there, which the object itself cannot do. */
  async replaceStatus(object: KubeObject): Promise<KubeObject> {
    return JSON.parse(await this.#send("PUT", `${pathOf(object)}/status`, object)) as KubeObject;
  }

  async delete(object: KubeObject): Promise<void> {
    await this.#send("DELETE", pathOf(object), { gracePeriodSeconds: 0, propagationPolicy: "Background" });
  }

  /** Everything in a folder, or what its label selector finds there. */
  async deleteAll(path: string): Promise<void> {
    await this.#send("DELETE", path, { gracePeriodSeconds: 0, propagationPolicy: "Background" });
  }

  async deleteIfThere(object: KubeObject): Promise<void> {
    try {
      await this.delete(object);
    } catch (error) {
      if (!(error instanceof KubeRefusal) || error.status !== 404) throw error;
    }
  }

  /** Creates it, or puts it in the place of the one with the same name. */
  async apply(object: KubeObject): Promise<KubeObject> {
    try {
      return await this.create(object);
    } catch (error) {
      if (!(error instanceof KubeRefusal) || error.status !== 409) throw error;
    }
    const current = JSON.parse(await this.get(pathOf(object))) as KubeObject;
    const { resourceVersion } = current.metadata;
    return this.replace({ ...object, metadata: { ...object.metadata, resourceVersion } });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #send(method: string, path: string, body?: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const sent = request(
        {
          host: this.#host,
          port: this.#port,
          method,
          path,
          agent: this.#agent,
          timeout: 20_000,
          headers: {
            authorization: `Bearer ${this.#token}`,
            accept: "application/json",
            ...(text === undefined
              ? {}
              : { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
          },
        },
        (response) => {
          let answer = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (answer += chunk));
          response.on("error", reject);
          response.on("end", () => {
            const status = response.statusCode ?? 0;
            if (status < 300) resolve(answer);
            else reject(new KubeRefusal(status, messageOf(answer)));
          });
        },
      );
      sent.on("timeout", () => sent.destroy(new Error(`no answer to ${method} ${path} within 20 s`)));
      sent.on("error", reject);
      sent.end(text);
    });
  }
}

function messageOf(answer: string): string {
  try {
    return (JSON.parse(answer) as { message?: string }).message ?? answer;
  } catch (error) {
    if (error instanceof SyntaxError) return answer;
    throw error;
  }
}

function folderOf({ apiVersion, kind, metadata }: KubeObject): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = clusterKinds.has(kind) ? "" : `/namespaces/${metadata.namespace ?? "default"}`;
  return `${root}${place}/${pluralOf(kind)}`;
}

function writtenBy(path: string, fieldManager: string | undefined): string {
  return fieldManager === undefined ? path : `${path}?fieldManager=${fieldManager}`;
}

function pathOf(object: KubeObject): string {
  return `${folderOf(object)}/${object.metadata.name}`;
}

/** As Kubernetes does it for every kind that is used here: `Gateway`, `Ingress`, `ServiceEntry`, `Endpoints`. */
function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (name === "endpoints") return name;
  if (name.endsWith("y") && !/[aeiou]y$/.test(name)) return `${name.slice(0, -1)}ies`;
  return name.endsWith("s") ? `${name}es` : `${name}s`;
}

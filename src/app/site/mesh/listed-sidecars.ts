import type { KubeObject } from "../../../kubernetes/kube-object.ts";

/** Istio's injection writes it onto each pod that it has given a sidecar. */
const injected = "sidecar.istio.io/status";

/**
 * The pods of a site with the sidecars that istiod lists. Who is connected takes traffic, whatever its pod says: a sidecar
 * may be put beside an app by hand, it may be one of a virtual machine, and pods may be hidden from who asks. Of one that
 * has no pod here nothing is known but its name and its namespace.
 */
export class ListedSidecars {
  #ids: ReadonlySet<string> = new Set();
  /** The same object for the same pod, because texts are kept by object. */
  readonly #marked = new WeakMap<KubeObject, KubeObject>();
  #strangers = new Map<string, KubeObject>();

  get isEmpty(): boolean {
    return this.#ids.size === 0;
  }

  /**
   * @param ids as istiod calls them, `pod.namespace`
   * @returns whether they are others than before
   */
  replace(ids: ReadonlySet<string>): boolean {
    if (ids.size === this.#ids.size && [...ids].every((id) => this.#ids.has(id))) return false;
    this.#ids = new Set(ids);
    const strangers = [...ids].flatMap((id) => {
      const pod = this.#strangers.get(id) ?? buildPod(id);
      return pod === undefined ? [] : [[id, pod] as const];
    });
    this.#strangers = new Map(strangers);
    return true;
  }

  /** These pods, marked where istiod lists them, and those that istiod alone knows. */
  complete(pods: readonly KubeObject[]): readonly KubeObject[] {
    if (this.#ids.size === 0) return pods;
    const known = new Set(pods.map(idOf));
    const strangers = [...this.#strangers].filter(([id]) => !known.has(id)).map(([, pod]) => pod);
    return [...pods.map((pod) => (this.#ids.has(idOf(pod)) ? this.#mark(pod) : pod)), ...strangers];
  }

  #mark(pod: KubeObject): KubeObject {
    const { annotations } = pod.metadata;
    if (annotations?.[injected] !== undefined) return pod;
    const marked = this.#marked.get(pod) ?? withMark(pod);
    this.#marked.set(pod, marked);
    return marked;
  }
}

function withMark(pod: KubeObject): KubeObject {
  const annotations = { ...pod.metadata.annotations, [injected]: "{}" };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

function idOf({ metadata }: KubeObject): string {
  return `${metadata.name}.${metadata.namespace ?? ""}`;
}

/** Names of pods may have dots, those of namespaces have none. */
function buildPod(id: string): KubeObject | undefined {
  const dot = id.lastIndexOf(".");
  if (dot <= 0) return undefined;
  const metadata = { name: id.slice(0, dot), namespace: id.slice(dot + 1), annotations: { [injected]: "{}" } };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] }, status: { phase: "Running" } };
}

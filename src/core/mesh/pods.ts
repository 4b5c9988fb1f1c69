import type { Position } from "../diagnostics/position.ts";
import { isWorkload, type Manifest, resourceName } from "../manifest/manifest.ts";
import { LabelIndex, selects } from "./label-index.ts";
import type { Mesh } from "./mesh.ts";

type Labels = Readonly<Record<string, string>>;

/** Something that runs with labels: a Pod, what a Deployment would make, or a LocalWorkload in its place. */
export interface PodSubject {
  /** `Kind namespace/name` of the object that makes it. */
  readonly resource: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly at: Position | undefined;
}

/** The pods that the manifests speak of, found by their labels. */
export class PodIndex {
  readonly #pods: readonly PodSubject[];
  readonly #inNamespace: LabelIndex<PodSubject>;
  readonly #anywhere: LabelIndex<PodSubject>;

  constructor(pods: readonly PodSubject[]) {
    this.#pods = pods;
    const labels = (pod: PodSubject): Labels => pod.labels;
    this.#inNamespace = new LabelIndex(pods, { namespace: (pod) => pod.namespace, labels });
    this.#anywhere = new LabelIndex(pods, { namespace: () => "", labels });
  }

  /** Pods of one namespace that carry all labels of a selector; an empty selector selects all of them. */
  findIn(namespace: string, selector: Labels): readonly PodSubject[] {
    return isEmpty(selector)
      ? this.#pods.filter((pod) => pod.namespace === namespace)
      : this.#inNamespace.find(namespace, selector);
  }

  /** Pods of every namespace that carry all labels of a selector; an empty selector selects all of them. */
  findAnywhere(selector: Labels): readonly PodSubject[] {
    return isEmpty(selector) ? this.#pods : this.#anywhere.find("", selector);
  }
}

export function listPods(mesh: Pick<Mesh, "manifests">): readonly PodSubject[] {
  return mesh.manifests.flatMap((manifest) => podOf(manifest) ?? []);
}

function podOf(manifest: Manifest): PodSubject | undefined {
  const { namespace } = manifest.metadata;
  const common = { resource: resourceName(manifest), namespace, at: manifest.at };
  if (isWorkload(manifest)) {
    return { ...common, labels: manifest.spec.podLabels, annotations: manifest.spec.podAnnotations };
  }
  if (manifest.kind === "LocalWorkload") {
    return { ...common, labels: manifest.spec.labels, annotations: {} };
  }
  return undefined;
}

/** A gateway as Istio's own charts and profiles install it; manifests of applications rarely contain it. */
export interface InstalledGateway {
  readonly pod: PodSubject;
  /** Ports that its Service has, and those that they lead to. */
  readonly ports: ReadonlySet<number>;
}

/**
 * The gateways that are taken to be there when no manifest says so. Source: Istio `pkg/config/analysis/local/defaults.go`
 * and the labels of its Helm chart `gateway`. Its profile `default` lets 80 lead to 8080 and 443 to 8443, and Gateways
 * written for it, such as that of Istio's own sample, name those.
 */
export function installedGateways(rootNamespace: string): readonly InstalledGateway[] {
  const install = (app: string, istio: string, ports: readonly number[]): InstalledGateway => {
    const resource = `Pod ${rootNamespace}/${app}`;
    const pod = { resource, namespace: rootNamespace, labels: { app, istio }, annotations: {}, at: undefined };
    return { pod, ports: new Set(ports) };
  };
  const egressPorts = [80, 443, 8080, 8443, 15_443];
  const ingressPorts = [...egressPorts, 15_021, 31_400];
  return [
    install("istio-ingressgateway", "ingressgateway", ingressPorts),
    install("istio-egressgateway", "egressgateway", egressPorts),
    install("istio-ingress", "ingress", ingressPorts),
    install("istio-egress", "egress", egressPorts),
  ];
}

/** True when the labels carry everything that a selector asks for, which for an empty one is nothing. */
export function isSelected(selector: Labels, labels: Labels): boolean {
  return selects(selector, labels);
}

function isEmpty(selector: Labels): boolean {
  return Object.keys(selector).length === 0;
}

import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { isWorkload, resourceName, type ServiceManifest, type WorkloadManifest } from "../manifest/manifest.ts";
import { LabelIndex, selects } from "./label-index.ts";
import type { Mesh } from "./mesh.ts";

/**
 * Deployments in the mesh whose Services disagree about a port: one number with two protocols (IST0116), or one target
 * port behind two numbers (IST0137). Source: Istio `pkg/config/analysis/analyzers/deployment/services.go`.
 */
export function checkWorkloadServices(mesh: Pick<Mesh, "manifests">): readonly Diagnostic[] {
  const services = mesh.manifests.filter((manifest) => manifest.kind === "Service");
  const index = new LabelIndex(services, {
    namespace: ({ metadata }) => metadata.namespace,
    labels: ({ spec }) => spec.selector,
  });
  const injected = new Set(
    mesh.manifests
      .filter(({ kind, metadata }) => kind === "Namespace" && metadata.labels["istio-injection"] === "enabled")
      .map(({ metadata }) => metadata.name),
  );
  return mesh.manifests
    .filter(isWorkload)
    .filter(({ kind }) => kind === "Deployment")
    .filter((workload) => isInMesh(workload, injected))
    .flatMap((workload) => {
      const behind = servicesOf(workload, index);
      return [...checkProtocols(workload, behind), ...checkTargetPorts(workload, behind)];
    });
}

/** The pod's own label decides, then its annotation, then the label of the namespace; waypoints are Istio's affair. */
function isInMesh({ spec, metadata }: WorkloadManifest, injected: ReadonlySet<string>): boolean {
  if (metadata.labels["gateway.istio.io/managed"] === "istio.io-mesh-controller") {
    return false;
  }
  const asked = spec.podLabels[inject] ?? spec.podAnnotations[inject];
  return asked === undefined ? injected.has(metadata.namespace) : asked === "true";
}

const inject = "sidecar.istio.io/inject";

function servicesOf(workload: WorkloadManifest, index: LabelIndex<ServiceManifest>): readonly ServiceManifest[] {
  const { podLabels } = workload.spec;
  const candidates = Object.entries(podLabels).flatMap(([name, value]) => [
    ...index.find(workload.metadata.namespace, { [name]: value }),
  ]);
  return [...new Set(candidates)].filter(({ spec }) => selects(spec.selector, podLabels));
}

interface PortUse {
  readonly service: ServiceManifest;
  readonly port: ServiceManifest["spec"]["ports"][number];
}

function usesOf(services: readonly ServiceManifest[]): readonly PortUse[] {
  return services.flatMap((service) => service.spec.ports.map((port) => ({ service, port })));
}

function protocolOf({ protocol, writtenProtocol }: PortUse["port"]): string {
  return writtenProtocol ?? protocol;
}

function checkProtocols(workload: WorkloadManifest, services: readonly ServiceManifest[]): readonly Diagnostic[] {
  const byNumber = Map.groupBy(usesOf(services), ({ port }) => port.number);
  return [...byNumber]
    .filter(([, uses]) => new Set(uses.map(({ port }) => protocolOf(port))).size > 1)
    .map(([number, uses]) =>
      diagnostic("KIR1209", {
        message: `Its Services use port ${number} with different protocols: ${listNames(uses.map(({ service, port }) => `${service.metadata.name} with ${protocolOf(port)}`))}.`,
        hint: "Give the Services different port numbers, or the same protocol.",
        resource: resourceName(workload),
        at: workload.at,
      }),
    );
}

function checkTargetPorts(workload: WorkloadManifest, services: readonly ServiceManifest[]): readonly Diagnostic[] {
  const byTarget = Map.groupBy(usesOf(services), ({ port }) => String(port.targetPort ?? port.number));
  return [...byTarget]
    .filter(([, uses]) => new Set(uses.map(({ port }) => port.number)).size > 1)
    .map(([target, uses]) =>
      diagnostic("KIR1210", {
        message: `Its Services lead to target port ${target} from different ports: ${listNames(uses.map(({ service, port }) => `${service.metadata.name} from ${port.number}`))}.`,
        hint: "Give a target port one port number in all Services, or let the pods listen on two ports.",
        resource: resourceName(workload),
        at: workload.at,
      }),
    );
}

import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { type GatewayManifest, resourceName, type ServiceManifest } from "../manifest/manifest.ts";
import { type GatewayPods, selectorKey } from "./gateway-pods.ts";
import { LabelIndex, selects } from "./label-index.ts";
import type { Mesh } from "./mesh.ts";

type PortsByGateway = (gateway: GatewayManifest) => ReadonlySet<number>;

/**
 * Gateways that no pod plays (IST0101), and ports of theirs that no Service leads to (IST0162).
 * Source: Istio `pkg/config/analysis/analyzers/gateway/gateway.go`.
 */
export function checkGatewayPorts(mesh: Mesh, pods: GatewayPods): readonly Diagnostic[] {
  const portsOf = rememberPorts(mesh, pods);
  return mesh.gateways.flatMap((gateway) =>
    pods.find(gateway).length === 0 ? [reportNobody(gateway)] : checkPorts(gateway, portsOf(gateway)),
  );
}

function checkPorts(gateway: GatewayManifest, open: ReadonlySet<number>): readonly Diagnostic[] {
  const findings = new Map<number, Diagnostic>();
  for (const { port, bind, at } of gateway.spec.servers) {
    const isSocket = bind?.startsWith("unix://") === true;
    if (!isSocket && !open.has(port.number) && !findings.has(port.number)) {
      const known = [...open].toSorted((left, right) => left - right).map(String);
      findings.set(
        port.number,
        diagnostic("KIR1201", {
          message: `Port ${port.number} is on no Service of the pods with ${labelText(gateway)}, so nobody outside reaches it there.`,
          hint: `Ports that lead to these pods: ${listNames(known)}.`,
          resource: resourceName(gateway),
          at,
        }),
      );
    }
  }
  return [...findings.values()];
}

function reportNobody(gateway: GatewayManifest): Diagnostic {
  return diagnostic("KIR1200", {
    message: `No pod has ${labelText(gateway)}, so no proxy listens for this Gateway in a cluster.`,
    hint: "Correct the selector; istio: ingressgateway is what Istio's own gateway carries. If the gateway is installed from elsewhere, silence this with the reason.",
    resource: resourceName(gateway),
    at: gateway.spec.selectorAt ?? gateway.at,
  });
}

function labelText(gateway: GatewayManifest): string {
  const key = selectorKey(gateway.spec.selector);
  return key === "" ? "any labels" : `the labels ${key.replaceAll(",", ", ")}`;
}

/** Ports by selector, because ten thousand Gateways mostly share one. */
function rememberPorts(mesh: Mesh, pods: GatewayPods): PortsByGateway {
  const services = mesh.manifests.filter((manifest) => manifest.kind === "Service");
  const bySelectedLabel = new LabelIndex(services, {
    namespace: ({ metadata }) => metadata.namespace,
    labels: ({ spec }) => spec.selector,
  });
  const known = new Map<string, ReadonlySet<number>>();
  return (gateway) => {
    const key = selectorKey(gateway.spec.selector);
    const before = known.get(key);
    if (before !== undefined) {
      return before;
    }
    const ports = new Set(pods.installedFor(gateway).flatMap((installed) => [...installed.ports]));
    for (const pod of pods.find(gateway)) {
      for (const service of servicesOf(pod, bySelectedLabel)) {
        for (const port of service.spec.ports.filter(({ protocol }) => protocol === "TCP")) {
          ports.add(port.number);
          if (typeof port.targetPort === "number") {
            ports.add(port.targetPort);
          }
        }
      }
    }
    known.set(key, ports);
    return ports;
  };
}

/** Services whose selector the pod's labels satisfy: each of them shares at least one label with it. */
function servicesOf(
  pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  index: LabelIndex<ServiceManifest>,
): ReadonlySet<ServiceManifest> {
  const candidates = Object.entries(pod.labels).flatMap(([name, value]) => [
    ...index.find(pod.namespace, { [name]: value }),
  ]);
  return new Set(candidates.filter(({ spec }) => selects(spec.selector, pod.labels)));
}

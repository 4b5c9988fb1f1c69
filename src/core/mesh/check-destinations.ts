import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames, nearestName } from "../manifest/decode/nearest-name.ts";
import { wildcardsAbove } from "../manifest/host-pattern.ts";
import { objectName, resourceName, type VirtualServiceManifest } from "../manifest/manifest.ts";
import type { Destination } from "../manifest/virtual-service.ts";
import { destinationRulesFor, findDestinationRule } from "./destination-rule-lookup.ts";
import { resolveHost, rootNamespace } from "./host-name.ts";
import type { HostName, Mesh, MeshService } from "./mesh.ts";

/** A destination as a rule or a mirror names it. */
interface Reference {
  readonly virtualService: VirtualServiceManifest;
  readonly destination: Destination;
  readonly role: "destination" | "mirror";
  readonly host: HostName;
}

/** Destinations and mirrors whose host, port or subset does not exist: each would be 503, or lost without a word. */
export function checkDestinations(mesh: Mesh): readonly Diagnostic[] {
  const findings: Diagnostic[] = [];
  for (const reference of mesh.virtualServices.flatMap((service) => referencesOf(service))) {
    const found = checkReference(mesh, reference, { isHinted: findings.length < hintedFindings });
    if (found !== undefined) {
      findings.push(found);
    }
  }
  return findings;
}

/** Guessing what was meant takes a look at every name, so that it is done for the first findings only. */
const hintedFindings = 100;

interface CheckOptions {
  readonly isHinted: boolean;
}

function referencesOf(virtualService: VirtualServiceManifest): readonly Reference[] {
  const { namespace } = virtualService.metadata;
  return virtualService.spec.http.flatMap((rule) => {
    const routed = rule.action.kind === "route" ? rule.action.destinations.map((entry) => entry.destination) : [];
    const mirrored = rule.mirrors.map((mirror) => mirror.destination);
    return [
      ...routed.map((destination) => ({ role: "destination" as const, destination })),
      ...mirrored.map((destination) => ({ role: "mirror" as const, destination })),
    ].map((entry) => ({ ...entry, virtualService, host: resolveHost(entry.destination.host, namespace) }));
  });
}

function checkReference(mesh: Mesh, reference: Reference, options: CheckOptions): Diagnostic | undefined {
  const service = mesh.services.get(reference.host);
  if (service === undefined) {
    const isCovered = wildcardsAbove(reference.host).some((wildcard) => mesh.services.has(wildcard));
    return isCovered ? undefined : reportUnknownHost(mesh, reference, options);
  }
  return checkPort(service, reference) ?? checkSubset(mesh, reference);
}

function reportUnknownHost(mesh: Mesh, reference: Reference, { isHinted }: CheckOptions): Diagnostic {
  const { destination, role, host } = reference;
  const full = host === destination.host ? "" : ` (in full "${host}")`;
  return finding("KIR1021", reference, {
    message: `No Service and no ServiceEntry declares the ${role} host "${destination.host}"${full}.`,
    hint: isHinted ? hostHint(mesh, reference) : undefined,
  });
}

function hostHint(mesh: Mesh, { host, destination, virtualService }: Reference): string {
  const expanded = `${host}.svc.cluster.local`;
  if (mesh.services.has(expanded)) {
    return `A name with a dot is taken as it is; write "${expanded}".`;
  }
  const { namespace } = virtualService.metadata;
  const suffix = `.${namespace}.svc.cluster.local`;
  const known = [...mesh.services.keys()].map((name) => (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name));
  const [first = ""] = host.split(".");
  const elsewhere = [...mesh.services.keys()].find((name) => name.startsWith(`${first}.`));
  const nearest = elsewhere ?? nearestName(destination.host, known.slice(0, 1000));
  return nearest === undefined ? `Known hosts: ${listNames(known)}.` : `Did you mean "${nearest}"?`;
}

function checkPort(service: MeshService, reference: Reference): Diagnostic | undefined {
  const { port, host } = reference.destination;
  const known = listNames(service.ports.map((entry) => String(entry.number)));
  if (port === undefined) {
    return service.ports.length > 1
      ? finding("KIR1024", reference, {
          message: `The host "${host}" has several ports and the ${reference.role} names none; known ports: ${known}.`,
          hint: `Write port: {number: ${service.ports[0]?.number ?? 80}}, or another of them.`,
        })
      : undefined;
  }
  return service.ports.some((entry) => entry.number === port)
    ? undefined
    : finding("KIR1023", reference, {
        message: `The host "${host}" has no port ${port}; known ports: ${known}.`,
        hint: "A destination takes the port of the Service, not its targetPort.",
      });
}

function checkSubset(mesh: Mesh, reference: Reference): Diagnostic | undefined {
  const { subset, host } = reference.destination;
  if (subset === undefined) {
    return undefined;
  }
  const clientNamespace = clientNamespaceOf(reference.virtualService);
  const rule = findDestinationRule(mesh, reference.host, { clientNamespace });
  if (rule?.subsets.some((entry) => entry.name === subset) === true) {
    return undefined;
  }
  const known = listNames(rule?.subsets.map((entry) => entry.name) ?? []);
  const declaredBy = rule?.rules.map((entry) => objectName(entry)).join(", ");
  const message =
    declaredBy === undefined
      ? `The subset "${subset}" of host "${host}" is declared by no DestinationRule that counts here.`
      : `The subset "${subset}" of host "${host}" is not in DestinationRule ${declaredBy}; known subsets: ${known}.`;
  return finding("KIR1022", reference, { message, hint: subsetHint(mesh, reference, clientNamespace) });
}

/** Rules at a gateway count for the gateway's namespace, rules inside the mesh for the callers next to them. */
function clientNamespaceOf(service: VirtualServiceManifest): string {
  const isForGateway = service.spec.gateways.some((name) => name !== "mesh");
  return isForGateway ? rootNamespace : service.metadata.namespace;
}

function subsetHint(mesh: Mesh, reference: Reference, clientNamespace: string): string | undefined {
  const hidden = destinationRulesFor(mesh, reference.host).find((rule) =>
    rule.spec.subsets.some((subset) => subset.name === reference.destination.subset),
  );
  return hidden === undefined
    ? undefined
    : `${resourceName(hidden)} has it, but does not count for clients in namespace ${clientNamespace}.`;
}

function finding(
  code: "KIR1021" | "KIR1022" | "KIR1023" | "KIR1024",
  reference: Reference,
  text: { readonly message: string; readonly hint: string | undefined },
): Diagnostic {
  const resource = resourceName(reference.virtualService);
  return diagnostic(code, { ...text, resource, at: reference.destination.at });
}

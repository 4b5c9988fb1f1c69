import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames, nearestName } from "../manifest/decode/nearest-name.ts";
import { resourceName } from "../manifest/manifest.ts";
import { type DestinationReference, referencesOf, type RuleClients } from "./destination-reference.ts";
import type { Mesh } from "./mesh.ts";
import type { ServiceDeclaration, ServiceDirectory } from "./service-directory.ts";

interface Surroundings {
  readonly directory: ServiceDirectory;
  readonly clients: RuleClients;
}

/**
 * Destinations and mirrors whose host or port does not exist or is not visible (IST0101), or whose port is left open
 * (IST0112): each would be 503, or lost without a word.
 * Source: Istio `pkg/config/analysis/analyzers/virtualservice/destinationhosts.go`.
 */
export function checkDestinations(
  mesh: Pick<Mesh, "virtualServices">,
  surroundings: Surroundings,
): readonly Diagnostic[] {
  const findings: Diagnostic[] = [];
  for (const reference of mesh.virtualServices.flatMap((service) => referencesOf(service))) {
    const found = checkReference(reference, surroundings, { isHinted: findings.length < hintedFindings });
    if (found !== undefined) {
      findings.push(found);
    }
  }
  return findings;
}

/** Guessing what was meant takes a look at every name, so that it is done for the first findings only. */
const hintedFindings = 100;

function checkReference(
  reference: DestinationReference,
  { directory, clients }: Surroundings,
  options: { readonly isHinted: boolean },
): Diagnostic | undefined {
  const declared = directory.find(reference.host);
  const { destination, virtualService } = reference;
  if (declared.length === 0 || directory.isMisspelt(destination.host, virtualService.metadata.namespace)) {
    return reportUnknownHost(reference, directory, options);
  }
  const views = clients
    .of(reference.virtualService)
    .map(({ namespace }) => ({ namespace, visible: directory.findVisible(reference.host, namespace) }));
  const blind = views.find(({ visible }) => visible.length === 0);
  return blind === undefined
    ? checkPort(reference, views[0]?.visible ?? declared)
    : reportHidden(reference, declared, blind.namespace);
}

function reportUnknownHost(
  reference: DestinationReference,
  directory: ServiceDirectory,
  { isHinted }: { readonly isHinted: boolean },
): Diagnostic {
  const { destination, role, host } = reference;
  const full = host === destination.host ? "" : ` (in full "${host}")`;
  return finding("KIR1021", reference, {
    message: `No Service and no ServiceEntry declares the ${role} host "${destination.host}"${full}.`,
    hint: isHinted ? hostHint(reference, directory) : undefined,
  });
}

function hostHint({ host, destination, virtualService }: DestinationReference, directory: ServiceDirectory): string {
  if (directory.find(host).length > 0) {
    return `Istio compares host names letter by letter; write "${destination.host.toLowerCase()}".`;
  }
  const expanded = `${host}.svc.cluster.local`;
  if (directory.find(expanded).length > 0) {
    return `A name with a dot is taken as it is; write "${expanded}".`;
  }
  const hosts = [...directory.hosts()];
  const suffix = `.${virtualService.metadata.namespace}.svc.cluster.local`;
  const known = hosts.map((name) => (name.endsWith(suffix) ? name.slice(0, -suffix.length) : name));
  const [first = ""] = host.split(".");
  const elsewhere = hosts.find((name) => name.startsWith(`${first}.`));
  const nearest = elsewhere ?? nearestName(destination.host, known.slice(0, 1000));
  return nearest === undefined ? `Known hosts: ${listNames(known)}.` : `Did you mean "${nearest}"?`;
}

function reportHidden(
  reference: DestinationReference,
  declared: readonly ServiceDeclaration[],
  namespace: string,
): Diagnostic {
  const [owner] = declared;
  const exports = owner === undefined || owner.exports.length === 0 ? "nobody" : listNames(owner.exports);
  const subject = `The ${reference.role} host "${reference.destination.host}"`;
  return finding("KIR1232", reference, {
    message: `${subject} is not visible from namespace ${namespace}, where these rules are carried out: ${owner?.resource ?? "its object"} is exported to ${exports}.`,
    hint: `Add ${namespace} to what it is exported to, or take exportTo away.`,
  });
}

function checkPort(reference: DestinationReference, declared: readonly ServiceDeclaration[]): Diagnostic | undefined {
  const { port, host } = reference.destination;
  const ports = portsOf(declared);
  const known = listNames(ports.map(String));
  if (port === undefined) {
    return ports.length > 1
      ? finding("KIR1024", reference, {
          message: `The host "${host}" has several ports and the ${reference.role} names none; known ports: ${known}.`,
          hint: `Write port: {number: ${ports[0] ?? 80}}, or another of them.`,
        })
      : undefined;
  }
  return ports.includes(port)
    ? undefined
    : finding("KIR1023", reference, {
        message: `The host "${host}" has no port ${port}; known ports: ${known}.`,
        hint: "A destination takes the port of the Service, not its targetPort.",
      });
}

/** A Service has its own ports; of ServiceEntries those of one namespace are read as one. */
function portsOf(declared: readonly ServiceDeclaration[]): readonly number[] {
  const [first] = declared;
  const isService = first?.resource.startsWith("Service ") === true;
  const counted = isService ? [first] : declared.filter(({ namespace }) => namespace === first?.namespace);
  return [...new Set(counted.flatMap(({ ports }) => ports))];
}

function finding(
  code: "KIR1021" | "KIR1023" | "KIR1024" | "KIR1232",
  { virtualService, destination }: DestinationReference,
  text: { readonly message: string; readonly hint: string | undefined },
): Diagnostic {
  return diagnostic(code, { ...text, resource: resourceName(virtualService), at: destination.at });
}

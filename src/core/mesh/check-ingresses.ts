import { diagnostic, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { listNames } from "../manifest/decode/nearest-name.ts";
import { coversHost, isWildcard, wildcardsAbove } from "../manifest/host-pattern.ts";
import type { IngressTls } from "../manifest/ingress.ts";
import { type IngressManifest, objectName, resourceName } from "../manifest/manifest.ts";
import type { MeshConfig } from "../manifest/mesh-config.ts";
import { claimIngress, indexClasses, type IngressClaim, istioController, whyLeftAlone } from "./ingress-class.ts";
import { servedIngresses } from "./ingress-manifests.ts";
import { collectHosts, type HostPaths } from "./ingress-rules.ts";
import type { Mesh } from "./mesh.ts";
import { meshConfigOf } from "./sidecar-scope.ts";

/** Ingresses that Istio does not serve, and parts that it leaves out of those that it does; see also the paths. */
export function checkIngresses(mesh: Pick<Mesh, "manifests">): readonly Diagnostic[] {
  const ingresses = mesh.manifests.filter((manifest) => manifest.kind === "Ingress");
  if (ingresses.length === 0) return [];
  const config = meshConfigOf(mesh);
  const surroundings = { classes: indexClasses(mesh.manifests), config };
  const served = servedIngresses(mesh.manifests);
  const hosts = new Map(collectHosts(served).map((paths) => [paths.host, paths] as const));
  return [
    ...ingresses.flatMap((ingress) => reportClaim(ingress, claimIngress(ingress, surroundings), config)),
    ...served.flatMap((ingress) => [
      ...checkDefaultBackend(ingress),
      ...checkEmptyRules(ingress),
      ...ingress.spec.tls.flatMap((tls) => checkTls(ingress, tls, hosts)),
    ]),
  ];
}

function reportClaim(ingress: IngressManifest, claim: IngressClaim, config: MeshConfig): readonly Diagnostic[] {
  const subject = { resource: resourceName(ingress), at: ingress.at };
  const why = whyLeftAlone(claim, config) ?? "";
  const message = `Istio does not serve the Ingress, because ${why}.`;
  const ownClass = `name an IngressClass whose controller is ${istioController}`;
  switch (claim.kind) {
    case "served":
      return [];
    case "servedUnknown": {
      const text = `No IngressClass "${claim.className}" is in the manifests, so Istio takes the Ingress for its own, because ingressControllerMode is DEFAULT.`;
      const hint = "Add the IngressClass, so that its controller decides.";
      return [diagnostic("KIR1300", { ...subject, message: text, hint })];
    }
    case "unknownClass": {
      const hint = `Add the IngressClass with the controller ${istioController}; where the class is another's, nothing is to be done.`;
      return [diagnostic("KIR1300", { ...subject, message, hint })];
    }
    case "foreign":
    case "noClass": {
      const hint = `Where Istio is to serve it, write the annotation kubernetes.io/ingress.class: ${config.ingressClass}, or ${ownClass}.`;
      return [diagnostic(claim.kind === "foreign" ? "KIR1301" : "KIR1302", { ...subject, message, hint })];
    }
    case "switchedOff": {
      const hint = `Set ingressControllerMode to STRICT, or ${ownClass}.`;
      return [diagnostic("KIR1302", { ...subject, message, hint })];
    }
  }
}

function checkDefaultBackend(ingress: IngressManifest): readonly Diagnostic[] {
  const { defaultBackend } = ingress.spec;
  if (defaultBackend === undefined) return [];
  return [
    diagnostic("KIR1306", {
      message: "Istio ignores defaultBackend, so requests that no rule takes get 404.",
      hint: "Add a rule without a host, with path / and pathType Prefix, to the same backend.",
      resource: resourceName(ingress),
      at: defaultBackend.at,
    }),
  ];
}

function checkEmptyRules(ingress: IngressManifest): readonly Diagnostic[] {
  return ingress.spec.rules
    .filter(({ paths }) => paths === undefined)
    .map(({ host, at }) =>
      diagnostic("KIR1307", {
        message: `The rule for ${host ?? "every host"} has no paths, so Istio leaves it out.`,
        hint: "Add http.paths with a path and its backend, or take the rule away.",
        resource: resourceName(ingress),
        at,
      }),
    );
}

type HostIndex = ReadonlyMap<string, HostPaths>;

function checkTls(ingress: IngressManifest, tls: IngressTls, hosts: HostIndex): readonly Diagnostic[] {
  const resource = resourceName(ingress);
  if (!namesSecret(tls)) {
    const message = "This entry of tls names no Secret, so Istio opens no TLS port for it.";
    const hint = "Add secretName, the name of a Secret in the namespace of the gateway's pods.";
    return [diagnostic("KIR1308", { message, hint, resource, at: tls.at })];
  }
  const names = tls.hosts.length === 0 ? ["*"] : tls.hosts;
  const idle = names
    .map((name) => ({ name, owners: ownersOf(name, hosts) }))
    .filter(({ owners }) => !owners.includes(ingress));
  const unowned = idle.filter(({ owners }) => owners.length === 0).map(({ name }) => name);
  // Where the owner has TLS for the host too, the servers are in conflict, and one of them is reported as dropped.
  const foreign = idle.flatMap(({ name, owners }) =>
    owners.filter((owner) => !hasTlsFor(owner, name)).map((owner) => ({ name, owner: objectName(owner) })),
  );
  const findings: Diagnostic[] = [];
  if (unowned.length > 0) {
    const message = `HTTPS requests for ${listNames(unowned, 5)} get 404: no rule of an Ingress is for that.`;
    findings.push(
      diagnostic("KIR1309", { message, hint: "Add a rule for the host, or correct its name.", resource, at: tls.at }),
    );
  }
  if (foreign.length > 0) {
    const listed = listNames([...new Set(foreign.map(({ name }) => name))], 5);
    const owners = listNames([...new Set(foreign.map(({ owner }) => owner))], 5);
    const message = `HTTPS requests for ${listed} get 404: the host is bound to the first Ingress that has a rule for it, ${owners}, and not to this one.`;
    findings.push(diagnostic("KIR1309", { message, hint: "Move this entry of tls there.", resource, at: tls.at }));
  }
  return findings;
}

/** The Ingresses whose Gateways the rules for a name are bound to. */
function ownersOf(name: string, hosts: HostIndex): readonly IngressManifest[] {
  const lower = name.toLowerCase();
  const found = isWildcard(lower)
    ? [...hosts.values()].filter(({ host }) => coversHost(lower, host) || coversHost(host, lower))
    : [lower, ...wildcardsAbove(lower)].flatMap((host) => hosts.get(host) ?? []);
  return [...new Set(found.map(({ owner }) => owner))];
}

function namesSecret({ secretName }: IngressTls): boolean {
  return secretName !== undefined && secretName !== "";
}

function hasTlsFor({ spec }: IngressManifest, name: string): boolean {
  return spec.tls.some((tls) => namesSecret(tls) && tls.hosts.includes(name));
}

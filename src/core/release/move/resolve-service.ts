import { findDelegators } from "./expand-delegates.ts";
import { nameDestination } from "../../routes/name-destination.ts";
import type { UnservedHost } from "../../routes/route-table.ts";
import type { MoveRequest } from "./move.ts";
import type { RoutedService } from "./movable-rules.ts";
import { type Refusal, refuseInput, renderList } from "./refusals.ts";

/** Finds the VirtualService that a request means: by its own name, by a host behind it, or by a host it serves. */
export function resolveService(
  services: readonly RoutedService[],
  request: Pick<MoveRequest, "name" | "namespace">,
  unserved: readonly UnservedHost[] = [],
): { readonly kind: "service"; readonly service: RoutedService } | Refusal {
  const wanted = wantedName(request);
  const inNamespace = services.filter(
    (service) => wanted.namespace === undefined || service.namespace === wanted.namespace,
  );
  const byName = inNamespace.filter((service) => service.name === wanted.name);
  // A VirtualService's own name wins over hosts that happen to be called the same.
  const found =
    byName.length > 0 ? byName : services.filter((service) => leadsTo(service, wanted) || serves(service, wanted));
  const candidates = found.filter(hasWeights);

  const [first, ...others] = candidates;
  if (first === undefined) {
    const known = services.filter(hasWeights).map((service) => service.virtualService);
    const [ingress] = found;
    if (ingress !== undefined) {
      return refuseInput(
        "KIR2008",
        `Only ${ingress.madeFrom} leads to ${wanted.name}, and an Ingress has no weights.`,
        {
          hint: "Write a VirtualService for the host, with a subset for each version.",
          details: { known },
        },
      );
    }
    const delegated = refuseDelegate(services, wanted);
    if (delegated !== undefined) return delegated;
    const where = wanted.namespace === undefined ? "" : ` in namespace ${wanted.namespace}`;
    const hidden = findUnserved(unserved, wanted);
    if (hidden !== undefined) {
      return refuseInput("KIR2001", `${hidden.virtualService} is served at no gateway: ${hidden.reason}.`, {
        hint: `Only traffic that enters at a gateway can be moved: ${renderList(known)}.`,
        details: { known },
      });
    }
    return refuseInput("KIR2001", `There is no VirtualService or service named ${wanted.name}${where}.`, {
      hint: `These can be moved: ${renderList(known)}.`,
      details: { known },
    });
  }
  if (others.length > 0) {
    const names = candidates.map((service) => service.virtualService);
    return refuseInput("KIR2002", `${wanted.name} could mean ${renderList(names)}.`, {
      hint: "Give the VirtualService's name, with -n NAMESPACE.",
      details: { candidates: names },
    });
  }
  return { kind: "service", service: first };
}

function refuseDelegate(services: readonly RoutedService[], { namespace = "", name }: WantedName): Refusal | undefined {
  const known = findDelegators(services, `${namespace}/${name}`).map(({ virtualService }) => virtualService);
  if (known.length === 0) return undefined;
  return refuseInput("KIR2001", `${namespace}/${name} is a delegate: its rules are in ${renderList(known)}.`, {
    hint: "Move these, or name the delegate in the routes of a Release, which moves its rules alone.",
    details: { known },
  });
}

/** What is made from an Ingress sends all requests of a path to one Service. */
function hasWeights({ madeFrom }: RoutedService): boolean {
  return madeFrom === undefined;
}

function findUnserved(unserved: readonly UnservedHost[], wanted: WantedName): UnservedHost | undefined {
  const inNamespace = unserved.filter(
    ({ virtualService }) => wanted.namespace === undefined || virtualService.startsWith(`${wanted.namespace}/`),
  );
  return (
    inNamespace.find(({ virtualService }) => virtualService.slice(virtualService.indexOf("/") + 1) === wanted.name) ??
    inNamespace.find(({ host }) => isHostNamed(host, wanted))
  );
}

interface WantedName {
  readonly name: string;
  readonly namespace: string | undefined;
}

/** `namespace/name` is how kirikae prints a VirtualService, so it is understood too. */
function wantedName({ name, namespace }: Pick<MoveRequest, "name" | "namespace">): WantedName {
  const slash = name.indexOf("/");
  if (slash > 0) return { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
  return { name, namespace };
}

function leadsTo(service: RoutedService, wanted: WantedName): boolean {
  for (const routes of service.routes.values()) {
    for (const { action } of routes) {
      if (action.kind !== "forward") continue;
      const hosts = action.split.arms
        .filter((arm) => arm.isDeclared)
        .map((arm) => nameDestination(arm.destination).host);
      if (hosts.some((host) => isHostNamed(host, wanted) && isReachableFrom(service, host, wanted.namespace)))
        return true;
    }
  }
  return false;
}

function isReachableFrom(service: RoutedService, host: string, namespace: string | undefined): boolean {
  return namespace === undefined || service.namespace === namespace || host.split(".")[1] === namespace;
}

function isHostNamed(host: string, wanted: WantedName): boolean {
  return hostSpellings(host).includes(wanted.name.toLowerCase());
}

/** The ways to write a host: in full, and for a Kubernetes Service each of its shorter forms. */
export function hostSpellings(host: string): readonly string[] {
  const suffix = ".svc.cluster.local";
  if (!host.endsWith(suffix)) return [host];
  const qualified = host.slice(0, -suffix.length);
  const [short = qualified] = qualified.split(".");
  return [host, `${qualified}.svc`, qualified, short];
}

function serves(service: RoutedService, wanted: WantedName): boolean {
  const isInNamespace = wanted.namespace === undefined || service.namespace === wanted.namespace;
  return isInNamespace && service.domains.has(wanted.name.toLowerCase());
}

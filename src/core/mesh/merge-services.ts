import type { MeshEndpoint, MeshService } from "./mesh.ts";

/**
 * What a second declaration of a host adds to the first: from the same namespace its endpoints for ports of the same
 * number and name, and its further ports where all else is the same; from another namespace a service of its own,
 * for clients that do not see the first. To a Service it adds its endpoints alone. Undefined where it adds nothing.
 * Source: Istio `pilot/pkg/model/sidecar.go`, canMergeServices; endpoints are kept by host, namespace and port name.
 */
export function mergeServices(known: MeshService, added: MeshService): MeshService | undefined {
  if (known.namespace !== added.namespace) {
    const others = [...(known.others ?? []), added];
    return isSameView(known, added) ? undefined : { ...known, others };
  }
  if (known.resolution !== added.resolution) {
    return undefined;
  }
  if (known.origin.kind !== "ServiceEntry") {
    return joinToService(known, added);
  }
  const isMergeable = isSameList(known.exportedTo, added.exportedTo);
  const further = isMergeable
    ? added.ports.filter((port) => !known.ports.some((other) => other.number === port.number))
    : [];
  const ports = [...known.ports, ...further];
  const shared = added.ports.filter((port) =>
    ports.some((other) => other.number === port.number && other.name === port.name && other.protocol === port.protocol),
  );
  if (shared.length === 0) {
    return undefined;
  }
  const numbers = new Set(shared.map(({ number }) => number));
  return { ...known, ports, endpoints: joinEndpoints(known.endpoints, added.endpoints, numbers) };
}

/** Whatever else an entry says of a Service's host has no effect, but its endpoints for ports of the same name count. */
function joinToService(known: MeshService, added: MeshService): MeshService | undefined {
  const numbers = new Map(
    added.ports.flatMap(({ number, name }) => {
      const own = known.ports.find((port) => port.name === name);
      return own === undefined ? [] : [[number, own.number] as const];
    }),
  );
  if (known.resolution !== "static" || numbers.size === 0 || added.endpoints.length === 0) return undefined;
  const renumbered = added.endpoints.map((endpoint) => ({
    ...endpoint,
    ports: new Map([...endpoint.ports].flatMap(([number, dialled]) => renumber(numbers.get(number), dialled))),
  }));
  return { ...known, endpoints: joinEndpoints(known.endpoints, renumbered, new Set(numbers.values())) };
}

function renumber(number: number | undefined, dialled: number): readonly (readonly [number, number])[] {
  return number === undefined ? [] : [[number, dialled]];
}

/** Endpoints of the second for some ports; a place that both name counts once. */
function joinEndpoints(
  known: readonly MeshEndpoint[],
  added: readonly MeshEndpoint[],
  numbers: ReadonlySet<number>,
): readonly MeshEndpoint[] {
  const places = new Set(known.map(placeOf));
  const joined = added.map((endpoint) => ({
    ...endpoint,
    ports: new Map([...endpoint.ports].filter(([number]) => numbers.has(number))),
  }));
  return [...known, ...joined.filter((endpoint) => endpoint.ports.size > 0 && !places.has(placeOf(endpoint)))];
}

function placeOf({ source, ports }: MeshEndpoint): string {
  const name = source.kind === "address" ? source.address : source.name;
  return `${source.kind} ${name} ${[...ports].map(([from, to]) => `${from}:${to}`).join(" ")}`;
}

/** Whoever sees the second sees the first too, and the first is a Service or the older one. */
function isSameView(known: MeshService, added: MeshService): boolean {
  return known.exportedTo.includes("*") && added.exportedTo.includes("*");
}

function isSameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((entry) => right.includes(entry));
}

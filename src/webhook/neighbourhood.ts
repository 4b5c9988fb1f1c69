import type { SourceText } from "../core/manifest/manifest.ts";
import type { KubeObject } from "../kubernetes/kube-object.ts";

/** Kinds of which a cluster has many, and of which one object concerns few others. */
const selected: ReadonlySet<string> = new Set([
  "VirtualService",
  "DestinationRule",
  "ServiceEntry",
  "Service",
  "EndpointSlice",
]);

/** Those are found by the labels that others select. */
const labelled: ReadonlySet<string> = new Set(["Pod", "WorkloadEntry"]);

/**
 * The objects that an object may concern: those that name what it names. It errs on the side of too many; what is left
 * out is left out before and after the change alike, so that nothing is found of it. With it a question costs what the
 * object's neighbours cost, and not what the cluster does.
 * @param forms the object as it was and as it would be
 */
export function findNeighbours(sources: readonly SourceText[], forms: readonly KubeObject[]): readonly SourceText[] {
  const words = new Set(forms.flatMap((form) => [...collectWords(form)]));
  const isNamed = ({ path, text }: SourceText) =>
    !selected.has(kindOf(path)) || [...words].some((word) => text.includes(word));
  const named = sources.filter((source) => !labelled.has(kindOf(source.path)) && isNamed(source));
  const close = named.filter(({ path }) => selected.has(kindOf(path))).map(({ path }) => namespaceOf(path));
  const namespaces = new Set([...close, ...forms.map(({ metadata }) => metadata.namespace ?? "default")]);
  const selectsPods = forms.some(({ kind }) => kind === "Gateway" || kind === "Sidecar");
  const pods = sources.filter(
    ({ path }) => labelled.has(kindOf(path)) && (selectsPods || namespaces.has(namespaceOf(path))),
  );
  return [...named, ...pods];
}

/** `Kind namespace/name`. */
function kindOf(path: string): string {
  return path.slice(0, path.indexOf(" "));
}

function namespaceOf(path: string): string {
  return path.slice(path.indexOf(" ") + 1).split("/")[0] ?? "";
}

/** As they stand in JSON: its own name, the delegates that it names, and each host with all wildcards that cover it. */
function collectWords({ metadata, spec }: KubeObject): ReadonlySet<string> {
  const words = new Set([`"${metadata.name}"`, `/${metadata.name}"`]);
  visitHosts(spec, (host) => {
    for (const word of wordsFor(host.slice(host.indexOf("/") + 1))) words.add(word);
  });
  return words;
}

/** Others may write a host in short, or with the namespace before it; a wildcard stands for every host with its end. */
function wordsFor(host: string): readonly string[] {
  const [first = "", ...rest] = host.split(".");
  const wildcards = rest.map((_, index) => `*.${rest.slice(index).join(".")}`);
  const covering = ["*", ...wildcards].flatMap((each) => [`"${each}"`, `/${each}"`]);
  if (first === "*") return rest.length === 0 ? [""] : [`.${rest.join(".")}"`, `"${rest.join(".")}"`, ...covering];
  return [`"${first}"`, `"${first}.`, `/${first}"`, `/${first}.`, ...covering];
}

const hostFields: ReadonlySet<string> = new Set(["host", "hosts", "sniHosts"]);

/** Every text of a field that holds hosts, and the name of each delegate. The reader has bounded the depth. */
function visitHosts(value: unknown, take: (host: string) => void): void {
  if (typeof value !== "object" || value === null) return;
  for (const [field, inner] of Object.entries(value)) {
    const holdsHosts = hostFields.has(field);
    const name: unknown = field === "delegate" ? Object(inner).name : undefined;
    if (typeof name === "string") take(name);
    for (const each of Array.isArray(inner) ? inner : [inner]) {
      if (typeof each !== "string") visitHosts(each, take);
      else if (holdsHosts) take(each);
    }
  }
}

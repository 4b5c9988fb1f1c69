import { strings, transform } from "../decode/collections.ts";
import { type DecodeContext, type Decoder, type Place, reportDiscouraged, reportValue } from "../decode/decoder.ts";
import { complainLabel } from "../names.ts";
import { complainScopedHost, itemPlace } from "./hosts.ts";

interface EgressHost {
  readonly namespace: string;
  readonly host: string;
}

/**
 * `hosts` of an egress listener: `namespace/host` with `*` or `.` as namespace, and `~` before it to leave something
 * out. Source: Istio `pkg/config/validation/validation.go`, ValidateSidecar.
 */
export const egressHosts: Decoder<readonly string[]> = transform(strings, (texts, place, context) => {
  for (const [index, text] of texts.entries()) {
    const complaint = complainEgressHost(text);
    if (complaint !== undefined) {
      reportValue(itemPlace(place, index), context, complaint);
    }
  }
  checkRepetition(texts, place, context);
  return texts;
});

function complainEgressHost(text: string): string | undefined {
  const slash = text.indexOf("/");
  if (slash === -1) {
    return `must be namespace/host, but is ${JSON.stringify(text)}`;
  }
  const [namespace, host] = [text.slice(0, slash), text.slice(slash + 1)];
  if (namespace === "" || host === "") {
    return `must have a namespace and a host, but is ${JSON.stringify(text)}`;
  }
  const bare = namespace.replace(/^~/, "");
  return ["", "*", "."].includes(bare) || complainLabel(bare) === undefined
    ? complainScopedHost(host)
    : `must have a namespace, "." or "*" before the slash, but is ${JSON.stringify(text)}`;
}

function checkRepetition(texts: readonly string[], place: Place, context: DecodeContext): void {
  const byNamespace = new Map<string, Set<string>>();
  for (const [index, text] of texts.entries()) {
    const entry = parseEgressHost(text, context);
    if (entry === undefined) {
      continue;
    }
    const hosts = byNamespace.get(entry.namespace) ?? new Set();
    byNamespace.set(entry.namespace, hosts);
    if (hosts.has(entry.host) || hosts.has("*") || (entry.host === "*" && hosts.size > 0)) {
      reportDiscouraged(itemPlace(place, index), context, "names hosts that another entry names too");
    }
    hosts.add(entry.host);
  }
  if (byNamespace.get("*")?.has("*") === true && byNamespace.size > 1) {
    reportDiscouraged(place, context, 'has "*/*", which takes everything, so the other entries change nothing');
  }
}

/** What an entry takes in; undefined for one that leaves something out. */
function parseEgressHost(text: string, context: DecodeContext): EgressHost | undefined {
  const slash = text.indexOf("/");
  if (slash === -1 || text.startsWith("~")) {
    return undefined;
  }
  const namespace = text.slice(0, slash);
  return { namespace: namespace === "." ? context.namespace : namespace, host: text.slice(slash + 1) };
}

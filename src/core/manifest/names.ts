const label = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
/** `*`, or a label with `*` or `*-` before it: `*foo.com` takes `barfoo.com`. */
const wildcardLabel = /^(?:\*|(?:\*-?)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$/;
const ipv6Text = /^[0-9a-fA-F:.]{2,45}$/;

/**
 * Why a text is not a label as Istio has it: letters of any case, which RFC 1123 allows and Kubernetes does not.
 * Source: Istio `pkg/config/labels/instance.go`.
 */
export function complainLabel(text: string): string | undefined {
  if (text.length > 63) {
    return "must be at most 63 characters long";
  }
  return label.test(text) ? undefined : `must be letters, digits and hyphens, but is ${JSON.stringify(text)}`;
}

/** Why a text is not a label as Kubernetes has it for the names of objects: in lower case. */
export function complainObjectLabel(text: string): string | undefined {
  return complainLabel(text) ?? (text === text.toLowerCase() ? undefined : "must be in lower case");
}

export function isIpAddress(text: string): boolean {
  return ipv4.test(text) || isIpv6(text);
}

/** RFC 4291 text forms: eight groups, one `::` for any number of zero groups, an IPv4 tail for the last two. */
function isIpv6(text: string): boolean {
  if (!ipv6Text.test(text) || !text.includes(":")) {
    return false;
  }
  const halves = text.split("::");
  if (halves.length > 2) {
    return false;
  }
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const tail = text.split(":").at(-1) ?? "";
  const hasIpv4Tail = tail.includes(".");
  if (hasIpv4Tail && !ipv4.test(tail)) {
    return false;
  }
  const hexadecimal = hasIpv4Tail ? groups.slice(0, -1) : groups;
  const count = hexadecimal.length + (hasIpv4Tail ? 2 : 0);
  const isCountRight = halves.length === 2 ? count < 8 : count === 8;
  return isCountRight && hexadecimal.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group));
}

/** Why a text is not a DNS name without wildcard; Istio allows a trailing dot and at most 255 characters. */
export function complainFqdn(text: string): string | undefined {
  return complainLength(text) ?? complainLabels(text, text.split("."));
}

function complainLength(text: string): string | undefined {
  if (text === "") {
    return "must not be empty";
  }
  return text.length > 255 ? "must be at most 255 characters long" : undefined;
}

function complainLabels(text: string, labels: readonly string[]): string | undefined {
  const top = labels.at(-1) ?? "";
  if (/^[-+]?[0-9]+$/.test(top)) {
    return `must not end in a number, but is ${JSON.stringify(text)}`;
  }
  const named = top === "" ? labels.slice(0, -1) : labels;
  const wrong = named.find((part) => complainLabel(part) !== undefined);
  return wrong === undefined
    ? undefined
    : `must be a DNS name, but ${JSON.stringify(text)} has the part ${JSON.stringify(wrong)}`;
}

/** As `complainFqdn`, with a wildcard in the first label: `*`, `*.foo.com`, `*foo.com` or `*-foo.com`. */
export function complainWildcardHost(text: string): string | undefined {
  const tooLong = complainLength(text);
  if (tooLong !== undefined) {
    return tooLong;
  }
  const [first = "", ...rest] = text.split(".");
  if (first.length > 63 || !wildcardLabel.test(first)) {
    return first.includes("*")
      ? `may have the wildcard * only at its beginning, but is ${JSON.stringify(text)}`
      : `must be a DNS name, but ${JSON.stringify(text)} has the part ${JSON.stringify(first)}`;
  }
  return rest.length === 0 ? undefined : complainLabels(text, rest);
}

/** Why a wildcard that is not the whole first part is no good, as in `*foo.com`. */
export function complainPartialWildcard(text: string): string | undefined {
  return text.includes("*") && text !== "*" && !text.startsWith("*.")
    ? `must have the wildcard * as its whole first part, but is ${JSON.stringify(text)}`
    : undefined;
}

const labelName = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Why a text is not the key of a Kubernetes label: a name, with a DNS name and a slash before it or not. */
export function complainLabelKey(text: string): string | undefined {
  const slash = text.indexOf("/");
  const [prefix, name] = slash === -1 ? [undefined, text] : [text.slice(0, slash), text.slice(slash + 1)];
  const isPrefixWrong =
    prefix !== undefined && (prefix.length > 253 || prefix.split(".").some((part) => !label.test(part)));
  return isPrefixWrong || name.length > 63 || !labelName.test(name)
    ? `has the key ${JSON.stringify(text)}, which is no label`
    : undefined;
}

/** Why a text is not the value of a Kubernetes label; an empty one is. */
export function complainLabelValue(text: string): string | undefined {
  return text === "" || labelName.test(text)
    ? undefined
    : `must be the value of a label, but is ${JSON.stringify(text)}`;
}

/** As `complainWildcardHost`, with an IP address allowed too. */
export function complainHost(text: string): string | undefined {
  return isIpAddress(text) ? undefined : complainWildcardHost(text);
}

export function complainAddress(text: string): string | undefined {
  return isIpAddress(text) ? undefined : `must be an IP address, but is ${JSON.stringify(text)}`;
}

/** Why a text is neither an IP address nor a CIDR range. */
export function complainSubnet(text: string): string | undefined {
  const [ip = "", bits, ...rest] = text.split("/");
  const isRange = bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (ip.includes(":") ? 128 : 32));
  return isIpAddress(ip) && isRange && rest.length === 0
    ? undefined
    : `must be an IP address or a CIDR range, but is ${JSON.stringify(text)}`;
}

/** The protocols that Istio knows for ports, in its own spelling. Source: Istio `pkg/config/protocol/instance.go`. */
export const portProtocols = [
  "HTTP",
  "HTTP2",
  "HTTP_PROXY",
  "HTTPS",
  "GRPC",
  "GRPC-WEB",
  "TCP",
  "TLS",
  "UDP",
  "MONGO",
  "REDIS",
  "MYSQL",
] as const;

/** True for the protocols that are TLS on the wire. */
export function isTlsProtocol(protocol: string): boolean {
  return protocol === "HTTPS" || protocol === "TLS";
}

/** True for the protocols whose requests a route can see without decrypting anything. */
export function isHttpProtocol(protocol: string): boolean {
  return ["HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB"].includes(protocol);
}

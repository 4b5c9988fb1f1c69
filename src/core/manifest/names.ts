const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const ipv4 = /^(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$/;
const ipv6Text = /^[0-9a-fA-F:.]{2,45}$/;

/** Why a text is not a DNS-1123 label (as RFC 1123 and Kubernetes have it), or undefined when it is one. */
export function complainLabel(text: string): string | undefined {
  if (text.length > 63) {
    return "must be at most 63 characters long";
  }
  return label.test(text)
    ? undefined
    : `must be lower-case letters, digits and hyphens, but is ${JSON.stringify(text)}`;
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
  if (text === "") {
    return "must not be empty";
  }
  if (text.length > 255) {
    return "must be at most 255 characters long";
  }
  const labels = text.replace(/\.$/, "").split(".");
  const wrong = labels.find((part) => complainLabel(part.toLowerCase()) !== undefined);
  if (wrong !== undefined) {
    return `must be a DNS name, but ${JSON.stringify(text)} has the part ${JSON.stringify(wrong)}`;
  }
  const top = labels.at(-1) ?? "";
  return /^[0-9]+$/.test(top) ? `must not end in a number, but is ${JSON.stringify(text)}` : undefined;
}

/** As `complainFqdn`, with `*` allowed as the whole name or as its first label. */
export function complainWildcardHost(text: string): string | undefined {
  if (text === "*") {
    return undefined;
  }
  if (text.startsWith("*.")) {
    return complainFqdn(text.slice(2));
  }
  return text.includes("*")
    ? `may have the wildcard * only as its whole first part, but is ${JSON.stringify(text)}`
    : complainFqdn(text);
}

/** As `complainWildcardHost`, with an IP address allowed too. */
export function complainHost(text: string): string | undefined {
  return isIpAddress(text) ? undefined : complainWildcardHost(text);
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
  "HBONE",
  "TCP",
  "TLS",
  "UDP",
  "MONGO",
  "REDIS",
  "MYSQL",
] as const;

/** True for the protocols whose requests a route can see without decrypting anything. */
export function isHttpProtocol(protocol: string): boolean {
  return ["HTTP", "HTTP2", "HTTP_PROXY", "GRPC", "GRPC-WEB"].includes(protocol);
}

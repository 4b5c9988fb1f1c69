import { type LookupAddress, lookup as lookUpHost } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { KirikaeError } from "../core/diagnostics/error.ts";

/**
 * What goes with a request to this address, so that it connects to no address that is refused.
 * @throws KirikaeError KIR4076 where the address is refused as it stands
 */
export type AddressRule = (url: URL) => { readonly lookup?: LookupFunction };

export interface AddressLimits {
  /** `host` or `host:port` that may be asked wherever it is; IPv6 in brackets. */
  readonly allowed: readonly string[];
  /** Asks DNS; the system's unless given. */
  readonly resolve?: Resolve;
}

/** All addresses of a name; rejects where it has none. */
type Resolve = (host: string, take: (error: Error | null, found: readonly LookupAddress[]) => void) => void;

/**
 * Keeps requests that other people ask for from this machine, and from the machines of its link: there cloud providers
 * tell whoever asks what the machine may do. Names are looked at when a connection is made, by the very answer that it is
 * made with, so that a name that leads elsewhere the second time is refused then.
 */
export function limitAddresses({ allowed, resolve = resolveAll }: AddressLimits): AddressRule {
  const permitted = new Set(allowed.map((each) => each.toLowerCase()));
  return (url) => {
    const { hostname, protocol } = url;
    const port = url.port === "" ? (protocol === "https:" ? "443" : "80") : url.port;
    if (permitted.has(hostname) || permitted.has(`${hostname}:${port}`)) return {};
    const literal = hostname.replaceAll(/^\[|\]$/gu, "");
    if (isIP(literal) !== 0 && isRefused(literal)) throw refuse(hostname, undefined);
    return { lookup: lookUpAllowed(resolve) };
  };
}

function lookUpAllowed(resolve: Resolve): LookupFunction {
  return (host, { all }, callback) => {
    resolve(host, (error, found) => {
      const [first] = found;
      const refused = found.find(({ address }) => isRefused(address));
      if (error !== null) callback(error, []);
      else if (first === undefined) callback(new Error(`${host} has no address`), []);
      else if (refused !== undefined) callback(refuse(host, refused.address), []);
      else if (all === true) callback(null, [...found]);
      else callback(null, first.address, first.family);
    });
  };
}

const resolveAll: Resolve = (host, take) => {
  lookUpHost(host, { all: true }, (error, found) => take(error, error === null ? found : []));
};

/**
 * Loopback (RFC 1122 3.2.1.3, RFC 4291 2.5.3), link-local (RFC 3927, RFC 4291 2.5.6), what a socket takes for loopback, and
 * where providers tell a machine its credentials beside 169.254.169.254: Alibaba Cloud, Azure, AWS (with what it gives to
 * pods), Google Cloud and Oracle Cloud.
 */
const refusedSubnets = [
  ["0.0.0.0", 8, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["100.100.100.200", 32, "ipv4"],
  ["168.63.129.16", 32, "ipv4"],
  ["::", 127, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["fd00:ec2::", 32, "ipv6"],
  ["fd20:ce::254", 128, "ipv6"],
  ["fd00:c1::a9fe:a9fe", 128, "ipv6"],
] as const;

/** How IPv6 writes an IPv4 address that something on the way turns into it (RFC 6052 2.1, RFC 8215, RFC 4291 2.5.5.1). */
const translations = ["64:ff9b::", "64:ff9b:1::", "::"] as const;

const refused = new BlockList();
for (const [net, prefix, family] of refusedSubnets) {
  refused.addSubnet(net, prefix, family);
  if (family === "ipv6") continue;
  for (const translation of translations) refused.addSubnet(`${translation}${net}`, 96 + prefix, "ipv6");
  refused.addSubnet(sixToFour(net), 16 + prefix, "ipv6");
}

/** The network that belongs to an IPv4 address (RFC 3056 2). */
function sixToFour(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`;
}

/** Of IPv6 that carries an IPv4 address as it is (`::ffff:127.0.0.1`) the list looks at that one. */
function isRefused(address: string): boolean {
  const [plain = ""] = address.split("%");
  return refused.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}

function refuse(host: string, address: string | undefined): KirikaeError {
  const where = address === undefined ? host : `${host} is ${address}, which`;
  return new KirikaeError(
    "KIR4076",
    `${where} is an address of the controller's own machine, its link or its provider.`,
    {
      exitStatus: 2,
      hint: `Start the controller with --allow-judge-host ${host} if all who may create Releases may have it asked.`,
    },
  );
}

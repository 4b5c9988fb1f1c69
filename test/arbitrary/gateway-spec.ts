import * as fc from "fast-check";
import { sometimes, withoutAbsent } from "./sometimes.ts";

/** Secrets of these names are in the namespace of the gateway's pods; `gone` is not. */
export const credentials = ["cert-a", "cert-b", "gone"] as const;

const httpHosts = fc.constantFrom(
  ["*"],
  ["*"],
  ["*.x.com", "x.com"],
  ["*.x.com"],
  ["a.x.com", "*.b.x.com"],
  ["default/*"],
  ["*/*"],
  ["team/*", "default/a.x.com"],
  ["./a.x.com", "x.com"],
);

const tlsHosts = fc.constantFrom(
  ["*"],
  ["a.x.com"],
  ["*.x.com"],
  ["b.x.com", "c.b.x.com"],
  ["*"],
  ["*.b.x.com"],
  ["team/*.x.com"],
  ["A.x.com"],
);

const httpServer = fc
  .record({
    port: fc.constantFrom(80, 80, 81, 9000),
    hosts: httpHosts,
    isRedirecting: fc.constantFrom(false, false, false, true),
  })
  .map(({ port, hosts, isRedirecting }) => ({
    port: { number: port, protocol: "HTTP" },
    hosts,
    ...(isRedirecting ? { tls: { httpsRedirect: true } } : {}),
  }));

const httpsServer = fc
  .record({
    port: fc.constantFrom(443, 443, 444),
    hosts: tlsHosts,
    credentialName: fc.constantFrom("cert-a", "cert-b", ...credentials),
    minProtocolVersion: sometimes(fc.constantFrom("TLSV1_2", "TLSV1_3")),
  })
  .map(({ port, hosts, ...tls }) => ({
    port: { number: port, protocol: "HTTPS" },
    hosts,
    tls: withoutAbsent({ mode: "SIMPLE", ...tls }),
  }));

const passingServer = fc
  .record({
    port: fc.constantFrom(443, 444),
    hosts: tlsHosts,
    mode: fc.constantFrom("PASSTHROUGH", "AUTO_PASSTHROUGH"),
  })
  .map(({ port, hosts, mode }) => ({ port: { number: port, protocol: "TLS" }, hosts, tls: { mode } }));

const endingServer = fc.record({ port: fc.constantFrom(443, 444), hosts: tlsHosts }).map(({ port, hosts }) => ({
  port: { number: port, protocol: "TLS" },
  hosts,
  tls: { mode: "SIMPLE", credentialName: "cert-a" },
}));

const tcpServer = fc.constantFrom("*", "a.x.com").map((host) => ({
  port: { number: 9000, protocol: "TCP" },
  hosts: [host],
}));

const others = fc.oneof(
  { weight: 2, arbitrary: httpServer },
  { weight: 3, arbitrary: httpsServer },
  { weight: 2, arbitrary: passingServer },
  { weight: 1, arbitrary: endingServer },
  { weight: 1, arbitrary: tcpServer },
);

/** The `spec` of a Gateway whose first server speaks HTTP, so that every mesh has requests to answer. */
export function gatewaySpecs(): fc.Arbitrary<object> {
  return fc.tuple(httpServer, fc.array(others, { minLength: 1, maxLength: 4 })).map(([first, more]) => ({
    selector: { istio: "ingressgateway" },
    servers: [first, ...more].map((server, index) => ({
      ...server,
      port: { ...server.port, name: `${server.port.protocol.toLowerCase()}-${index}` },
    })),
  }));
}

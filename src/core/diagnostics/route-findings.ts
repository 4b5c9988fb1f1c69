import type { CatalogueEntry } from "./catalogue-entry.ts";

/** KIR1100 to KIR1149: what the route table cannot carry. */
export const routeFindings = {
  KIR1100: {
    level: "warning",
    title: "gateway server dropped",
    meaning:
      "An older server has the same port with another protocol, or the same hosts, and Istio keeps only the older one. Requests for the younger get what the older says. Give it another port or other hosts.",
  },
  KIR1101: {
    level: "error",
    title: "regular expression cannot be used",
    meaning:
      "The pattern is not valid RE2, the dialect that Envoy reads; the whole configuration would be refused. Correct the pattern; look-around and backreferences are not in RE2.",
  },
  KIR1102: {
    level: "error",
    title: "weights add up to 0",
    meaning:
      "Several destinations share the requests of a rule, but none of them gets any; Istio refuses that. Give one of them a weight above 0.",
  },
  KIR1103: {
    level: "error",
    title: "redirect status not usable",
    meaning:
      "Envoy redirects with 301, 302, 303, 307 or 308; with any other status Istio sends a rule without an action. Use one of these.",
  },
  KIR1104: {
    level: "error",
    title: "destination named twice in one rule",
    meaning:
      "Weights are kept by destination, so one destination cannot have two shares with different header changes. Make one destination of them.",
  },
  KIR1106: {
    level: "warning",
    title: "VirtualService hidden from the gateway",
    meaning:
      "exportTo does not name the namespace of the gateway workload, so the gateway never sees these rules. Add the namespace to exportTo.",
  },
  KIR1110: {
    level: "error",
    title: "JWT claims not matched here",
    meaning:
      "Retired: KIR1006 says it where the condition is written. Match a header instead, or remove the condition.",
  },
  KIR1111: {
    level: "warning",
    title: "gateway server not served here",
    meaning:
      "The server's TLS needs certificates of the mesh or other clusters, and neither is on this machine. Nothing is to be done for a trial here.",
  },
  KIR1112: {
    level: "warning",
    title: "gateway server without its credential",
    meaning:
      "The certificate or the CA of the server is not there, so that its hosts refuse every TLS handshake; the other servers are served. Add the Secret, or correct its name.",
  },
  KIR1113: {
    level: "warning",
    title: "TLS rule dropped",
    meaning:
      "Another server or rule on the port takes connections for the same name (SNI), and the first one counts. Give the name to one of them only.",
  },
  KIR1115: {
    level: "warning",
    title: "gateway server without a route",
    meaning:
      "No VirtualService has a tcp or tls rule for the server, and Istio opens no port for a server that leads nowhere. Bind a VirtualService with such a rule to it.",
  },
  KIR1116: {
    level: "info",
    title: "mutual TLS of the mesh not used here",
    meaning:
      "ISTIO_MUTUAL takes certificates that Istio gives to pods. On this machine the requests go in plain text. Nothing is to be done for a trial here.",
  },
  KIR1117: {
    level: "error",
    blocksServing: false,
    title: "credential for a destination missing",
    meaning:
      "A DestinationRule asks for TLS with a certificate or CA that is not there. Requests to the destination get 503. Add the Secret or the file.",
  },
} as const satisfies Record<string, CatalogueEntry>;

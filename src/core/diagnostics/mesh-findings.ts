import type { CatalogueEntry } from "./catalogue-entry.ts";

/** KIR1200 to KIR1299: what objects say about each other. */
export const meshFindings = {
  KIR1200: {
    level: "error",
    blocksServing: false,
    title: "gateway selector selects nothing",
    meaning:
      "No pod has the labels that the Gateway selects, so in a cluster no proxy would listen for it. Correct the selector, or silence it where the gateway is installed from elsewhere.",
    istioCode: "IST0101",
  },
  KIR1201: {
    level: "warning",
    title: "gateway port not on its Service",
    meaning:
      "No Service leads to the port on the pods of the gateway, so clients cannot reach it from outside. Add the port to the Service.",
    istioCode: "IST0162",
  },
  KIR1202: {
    level: "error",
    blocksServing: false,
    title: "TLS secret not found",
    meaning:
      "The Secret that credentialName means is not in the namespace of the gateway's pods, so every TLS handshake with the server fails. Add the Secret there.",
    istioCode: "IST0101",
  },
  KIR1203: {
    level: "error",
    blocksServing: false,
    title: "TLS secret not usable",
    meaning:
      "The Secret has no certificate and key, or its certificate cannot be read or is out of date, so clients refuse the connection. Renew the Secret.",
    istioCode: "IST0161",
  },
  KIR1204: {
    level: "warning",
    title: "certificate shared by gateways",
    meaning:
      "Browsers reuse an HTTP/2 connection for every host that its certificate covers. A request for the other Gateway's host then arrives where nobody knows it: 404. Give each Gateway a certificate of its own, or put their hosts into one Gateway.",
    istioCode: "IST0138",
  },
  KIR1205: {
    level: "warning",
    title: "certificate covers a host of another server",
    meaning:
      "A browser may send requests for that host over a connection to this server, which does not know it: 404. Give the servers certificates for their own hosts only.",
  },
  KIR1206: {
    level: "error",
    blocksServing: false,
    title: "Sidecars select the same pods",
    meaning:
      "More than one Sidecar selects a pod, and only one of them counts for it. Make their selectors exclude each other.",
    istioCode: "IST0110",
  },
  KIR1207: {
    level: "error",
    blocksServing: false,
    title: "several Sidecars without a selector",
    meaning: "A namespace has one default Sidecar; of several the oldest counts. Keep one.",
    istioCode: "IST0111",
  },
  KIR1208: {
    level: "error",
    blocksServing: false,
    title: "Sidecar selector selects nothing",
    meaning:
      "No pod of the namespace has the labels that the Sidecar selects, so it has no effect. Correct the labels or the namespace.",
    istioCode: "IST0101",
  },
  KIR1209: {
    level: "warning",
    title: "one port with two protocols",
    meaning:
      "Services of one Deployment use the same port with different protocols, and its sidecar can listen in one way only. Use one protocol for the port.",
    istioCode: "IST0116",
  },
  KIR1210: {
    level: "warning",
    title: "one target port behind two ports",
    meaning:
      "Services of one Deployment lead to the same target port from different ports, so what the sidecar knows of the port is ambiguous. Use one port for the target port.",
    istioCode: "IST0137",
  },
  KIR1211: {
    level: "warning",
    title: "port of an ExternalName Service not usable",
    meaning:
      "A port that is plain TCP, or that says no protocol, takes all traffic of that port number in the mesh. Name the port by a protocol that carries the host, such as http or https.",
    istioCode: "IST0150",
  },
  KIR1212: {
    level: "warning",
    title: "policy selects nothing",
    meaning:
      "No workload has the labels that the policy selects, so it protects nothing. Correct the labels or the namespace.",
    istioCode: "IST0127",
  },
  KIR1213: {
    level: "error",
    blocksServing: false,
    title: "policy names an unknown namespace",
    meaning: "No such namespace is declared, so that part of the policy matches no caller. Correct the name.",
    istioCode: "IST0101",
  },
  KIR1214: {
    level: "warning",
    title: "server certificate not verified",
    meaning: "TLS without caCertificates, so whoever answers is believed. Name caCertificates.",
    istioCode: "IST0128",
  },
  KIR1215: {
    level: "warning",
    title: "server certificate not verified on a port",
    meaning: "TLS without caCertificates on one port, so whoever answers there is believed. Name caCertificates.",
    istioCode: "IST0129",
  },
  KIR1216: {
    level: "warning",
    title: "ServiceEntry needs addresses",
    meaning:
      "TCP carries no host name; without addresses every connection to the port is taken to be for this host. Give it addresses, or a protocol that carries the host.",
    istioCode: "IST0134",
  },
  KIR1217: {
    level: "warning",
    title: "rules not applied at the gateway",
    meaning:
      "Subset rules of a mesh VirtualService count for callers inside the mesh; a request from the gateway goes past them to every version. Bind the rules to the gateway too.",
    istioCode: "IST0140",
  },
  KIR1218: {
    level: "error",
    blocksServing: false,
    title: "claim routing without authentication",
    meaning:
      "Rules that match JWT claims need a RequestAuthentication for the gateway's pods; without one no claim is ever there. Add one.",
    istioCode: "IST0149",
  },
  KIR1219: {
    level: "warning",
    title: "generated gateway named",
    meaning: "The name is one that Istio makes for a Kubernetes Gateway and may change; bind to the Gateway itself.",
    istioCode: "IST0165",
  },
  KIR1220: {
    level: "warning",
    title: "deprecated field",
    meaning: "The field is replaced by another, or has no effect any more. Write what the hint says.",
    istioCode: "IST0002",
  },
  KIR1221: {
    level: "warning",
    title: "rule covered by earlier rules",
    meaning:
      "Earlier rules of the same VirtualService take every request that this rule would take, with broader matches. Move it up or remove it.",
  },
  KIR1222: {
    level: "info",
    title: "match covered by an earlier one",
    meaning:
      "An earlier match of the same VirtualService is broader, so this one takes nothing. istioctl does not look at exact paths and regular expressions. Move it up or remove it.",
  },
  KIR1223: {
    level: "warning",
    title: "host in none of the gateways",
    meaning:
      "The VirtualService names Gateways, and none of them admits this host, so no request for it is routed. Add the host to a Gateway, or take it out.",
  },
  KIR1224: {
    level: "warning",
    title: "subset known to some callers only",
    meaning:
      "A DestinationRule counts for callers in its own namespace, in that of the service, and everywhere when it is in istio-system. Other callers get 503. Move the DestinationRule, or limit exportTo of the VirtualService.",
  },
  KIR1225: {
    level: "error",
    blocksServing: false,
    title: "delegate not found",
    meaning:
      "The rule hands its requests to a VirtualService that does not exist or is not exported to it. Istio drops the rule without a word. Correct the name or the namespace, or export the delegate.",
  },
  KIR1226: {
    level: "warning",
    title: "route lost in delegation",
    meaning:
      "No match of the delegate agrees with a match of the rule that delegates, so Istio drops the route without a word. Write a match of the delegate that begins like one of the rule that delegates.",
  },
  KIR1227: {
    level: "warning",
    title: "wildcard host is no fallback",
    meaning:
      "A proxy picks the most specific host and stays there. What that VirtualService does not match is 404, and never comes to the wildcard. Repeat the rules of the wildcard for the host.",
  },
  KIR1228: {
    level: "warning",
    title: "weight ignored",
    meaning:
      "A single destination gets every request, whatever its weight says, even 0. Remove the weight, or name a second destination.",
  },
  KIR1229: {
    level: "warning",
    title: "capital letters in a host",
    meaning:
      "Host names are compared in lower case. Istio compares some of them as they are written, so capital letters make a destination unknown. Write hosts in lower case.",
  },
  KIR1230: {
    level: "info",
    title: "DestinationRule for its own namespace only",
    meaning:
      "The service lives elsewhere, so only callers in the namespace of the DestinationRule are under it. Move it to the namespace of the service where every caller is meant.",
  },
  KIR1231: {
    level: "warning",
    title: "DestinationRule partly ignored",
    meaning:
      "Of several DestinationRules for one host the oldest trafficPolicy counts whole, and so does the oldest subset of a name. Make one DestinationRule of them.",
  },
  KIR1232: {
    level: "error",
    blocksServing: false,
    title: "destination hidden from its callers",
    meaning:
      "The service is declared, but exportTo does not name the namespace of the callers; their requests would fail with 503. Add the namespace to exportTo.",
    istioCode: "IST0101",
  },
  KIR1233: {
    level: "warning",
    title: "delegate that nobody names",
    meaning:
      "A VirtualService without hosts counts only where another one delegates to it. Name it in a rule, or give it hosts.",
  },
} as const satisfies Record<string, CatalogueEntry>;

/** One thing in which kirikae differs from Istio on purpose. */
export interface IntendedDifference {
  readonly id: string;
  readonly about: Topic;
  /** A few words, as a heading. */
  readonly title: string;
  /** What Istio does, for somebody who knows it. */
  readonly istio: string;
  readonly kirikae: string;
  readonly why: string;
  /** Where the comparison meets it; it is left out there, and nowhere else. */
  readonly seenIn: SeenIn;
}

/** Who would notice. */
export type Topic = "clients" | "backends" | "manifests" | "operators";

type SeenIn =
  /** A header of the request that istiod's Envoy adds before the backend. */
  | { readonly kind: "requestHeader"; readonly name: string }
  /** A field of Envoy's cluster that one of the sides sets. */
  | { readonly kind: "clusterField"; readonly names: readonly string[] }
  /** The text of a 503 for a destination that does not exist. */
  | { readonly kind: "missingDestination" }
  /** Cases whose line `# differs: ` names this entry; they fail when the two sides agree. */
  | { readonly kind: "cases" }
  /** Nothing that is compared: how it is done, not what comes of it. */
  | { readonly kind: "form" };

/**
 * Whatever the comparison with a real istiod leaves out, with the reason; `docs/istio-differences.md` is made of it.
 * Everything else that differs is a defect of kirikae.
 */
export const intendedDifferences: readonly IntendedDifference[] = [
  {
    id: "server-header",
    about: "clients",
    title: "The `server` header",
    istio: "Answers carry `server: istio-envoy`.",
    kirikae: "Answers carry `server: envoy`.",
    why: "It says who answered, and that is a plain Envoy.",
    seenIn: { kind: "form" },
  },
  {
    id: "missing-among-others",
    about: "clients",
    title: "The text of a 503 for a destination that does not exist",
    istio: "The answer is 503 without a text; the access log has the flag NC.",
    kirikae:
      "Where traffic could be moved between the missing destination and other versions, the answer is 503 with the text `no healthy upstream`, and the flag is UH.",
    why: "A move names the versions of a split, so each needs a cluster, even one that leads nowhere. The status is the same.",
    seenIn: { kind: "missingDestination" },
  },
  {
    id: "decorator",
    about: "backends",
    title: "The `x-envoy-decorator-operation` header",
    istio: "Requests that come through a gateway carry it.",
    kirikae: "They do not.",
    why: "It names a span of Istio's tracing, and kirikae traces nothing.",
    seenIn: { kind: "requestHeader", name: "x-envoy-decorator-operation" },
  },
  {
    id: "dns",
    about: "backends",
    title: "How names of external services are looked up",
    istio: "Envoy asks DNS servers by itself, with jitter, and only for IPv4 where the pod has no IPv6.",
    kirikae: "The system's resolver is asked, IPv4 before IPv6, without jitter.",
    why: "On a developer's machine a name may be known to the hosts file or to IPv6 alone.",
    seenIn: {
      kind: "clusterField",
      names: ["dns_jitter", "dns_lookup_family", "typed_dns_resolver_config", "dns_refresh_rate", "respect_dns_ttl"],
    },
  },
  {
    id: "destination-twice",
    about: "manifests",
    title: "One destination twice in a rule, with different header changes",
    istio: "Each of the two has its share and its header changes.",
    kirikae:
      "`check` reports KIR1104, and the rule is not served. Twice with the same changes counts as one, with both weights.",
    why: "Weights are kept by destination, so that a move can name it; two shares of one destination could not be told apart.",
    seenIn: { kind: "cases" },
  },
  {
    id: "capitals-in-entries",
    about: "manifests",
    title: "Capital letters in the hosts of a ServiceEntry",
    istio:
      "`Api.example.org` and `api.example.org` are two hosts, and a destination has to be written as the entry is.",
    kirikae: "They are one host, and `check` warns (KIR1229).",
    why: "Names on the network have no case. With the warning obeyed, nothing differs.",
    seenIn: { kind: "cases" },
  },
  {
    id: "hash-port-inferred",
    about: "backends",
    title: "`consistentHash` under `portLevelSettings`, for a destination that names no port",
    istio:
      "The endpoints form a ring, but requests get no hash, so each goes to any of them. With `port` in the destination they get one.",
    kirikae: "Requests get the hash that the DestinationRule asks for, whether the destination names the port or not.",
    why: "The rule says that requests of one user belong to one endpoint, and nothing in it says otherwise.",
    seenIn: { kind: "cases" },
  },
  {
    id: "passthrough-balancer",
    about: "manifests",
    title: "`loadBalancer.simple: PASSTHROUGH`",
    istio: "A connection goes to the address that it was meant for; at a gateway there is none, and the answer is 503.",
    kirikae: "`check` reports KIR1006, and `up` refuses.",
    why: "Nothing on this machine redirects connections, so none carries such an address.",
    seenIn: { kind: "cases" },
  },
  {
    id: "original-destination",
    about: "clients",
    title: "Addresses that a caller inside the mesh connects to",
    istio:
      "A sidecar takes every connection of its pod and knows the address that it was meant for: requests to a headless service, and to hosts that the mesh does not know, go on to that address.",
    kirikae:
      "Requests to a headless service go to one of its endpoints, and for other unknown hosts the name in the request is looked up.",
    why: "Processes speak to their sidecar as to an HTTP proxy, or by the ports that stand for single services, and nothing redirects what they send.",
    seenIn: { kind: "form" },
  },
  {
    id: "listener-addresses",
    about: "operators",
    title: "Where gateways listen",
    istio: "Each port of a gateway is open on every address of its pod.",
    kirikae: "Gateway ports are open on loopback, at the port that `kirikae up` shows.",
    why: "It is a developer's machine, where ports such as 80 are taken and nothing should be open to others.",
    seenIn: { kind: "form" },
  },
  {
    id: "validated-clusters",
    about: "operators",
    title: "Routes to clusters that do not exist",
    istio: "Route configurations may name clusters that Envoy does not have.",
    kirikae:
      "Route configurations set `validate_clusters`, and a destination that does not exist has a route of its own that answers 503.",
    why: "A route can then never name a cluster that Envoy does not have, and a switch that would is refused by Envoy and undone.",
    seenIn: { kind: "form" },
  },
  {
    id: "runtime-weights",
    about: "operators",
    title: "How weights are written",
    istio: "A split has the versions with a weight, and only if there are several.",
    kirikae:
      "Every split that can move is a weighted cluster with a `runtime_key_prefix`, with the versions that have no share now at weight 0.",
    why: "Moving traffic then pushes one runtime layer, whatever the number of routes, and needs no new cluster.",
    seenIn: { kind: "form" },
  },
  {
    id: "ledger",
    about: "operators",
    title: "Access logs during a move",
    istio: "Access logs are as MeshConfig and Telemetry say.",
    kirikae: "Envoy streams its access log to kirikae while a move is under way.",
    why: "The requests of a move are counted by version, which is half of the proof that it is done.",
    seenIn: { kind: "form" },
  },
];

/** One thing in which kirikae differs from istiod on purpose. */
export interface IntendedDifference {
  readonly id: string;
  /** What somebody who knows Istio would see. */
  readonly what: string;
  readonly why: string;
  /** Where the comparison meets it; it is left out there, and nowhere else. */
  readonly seenIn: SeenIn;
}

type SeenIn =
  /** A header of the request that istiod's Envoy adds before the backend. */
  | { readonly kind: "requestHeader"; readonly name: string }
  /** A field of Envoy's cluster that one of the sides sets. */
  | { readonly kind: "clusterField"; readonly names: readonly string[] }
  /** The text of a 503 for a destination that does not exist. */
  | { readonly kind: "missingDestination" }
  /** Nothing that is compared: how it is done, not what comes of it. */
  | { readonly kind: "form" };

/**
 * Whatever the comparison with a real istiod leaves out, with the reason; `docs/istio-differences.md` is made of it.
 * Everything else that differs is a defect of kirikae.
 */
export const intendedDifferences: readonly IntendedDifference[] = [
  {
    id: "decorator",
    what: "Backends get no `x-envoy-decorator-operation` header from a gateway.",
    why: "It names a span of Istio's tracing, and kirikae traces nothing.",
    seenIn: { kind: "requestHeader", name: "x-envoy-decorator-operation" },
  },
  {
    id: "validated-clusters",
    what: "Route configurations set `validate_clusters`, and a destination that does not exist has a route of its own that answers 503.",
    why: "A route can then never name a cluster that Envoy does not have, and a switch that would is refused by Envoy and undone.",
    seenIn: { kind: "form" },
  },
  {
    id: "missing-among-others",
    what: "A rule that sends to a destination which does not exist answers 503 with the text `no healthy upstream` and the flag UH, where traffic could be moved between it and other versions; Istio's Envoy says 503 without a text, flag NC.",
    why: "A move names the versions of a split, so each needs a cluster, even one that leads nowhere. The status is the same.",
    seenIn: { kind: "missingDestination" },
  },
  {
    id: "dns",
    what: "Names of external services are looked up by the system's resolver, IPv4 before IPv6, without jitter.",
    why: "On a developer's machine a name may be known to the hosts file or to IPv6 alone; Istio asks DNS servers by c-ares, for IPv4 where the pod has no IPv6.",
    seenIn: {
      kind: "clusterField",
      names: ["dns_jitter", "dns_lookup_family", "typed_dns_resolver_config", "dns_refresh_rate", "respect_dns_ttl"],
    },
  },
  {
    id: "server-header",
    what: "The `server` header of answers is `envoy`, not `istio-envoy`.",
    why: "It says who answered.",
    seenIn: { kind: "form" },
  },
  {
    id: "runtime-weights",
    what: "Every split is a weighted cluster with a `runtime_key_prefix`, with the versions that have no share now at weight 0.",
    why: "Moving traffic then pushes one runtime layer, whatever the number of routes, and needs no new cluster.",
    seenIn: { kind: "form" },
  },
  {
    id: "listener-addresses",
    what: "Gateway ports listen on loopback, at the port that `kirikae up` shows.",
    why: "kirikae runs on the developer's machine, where ports such as 80 are taken and nothing should be open to others.",
    seenIn: { kind: "form" },
  },
  {
    id: "ledger",
    what: "Envoy streams its access log to kirikae while a move is under way.",
    why: "The requests of a move are counted by version, which is half of the proof that it is done.",
    seenIn: { kind: "form" },
  },
];

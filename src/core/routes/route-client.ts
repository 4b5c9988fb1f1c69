import type { Locality } from "./route-table.ts";

type Labels = Readonly<Record<string, string>>;

/** The workload whose proxy sends requests: what it sees, and by which policy, depends on it. */
export interface RouteClient {
  readonly kind: "gateway" | "sidecar";
  readonly namespace: string;
  /** Of its pods; `sourceLabels`, `workloadSelector` and locality are asked of them. */
  readonly labels: Labels;
}

/**
 * Where a workload runs, by the labels that Kubernetes and Istio put on its pods or nodes; undefined where nothing says
 * so. Source: Istio `pkg/model/proxy.go`, and the label `istio-locality` of its `label.go`, in which a dot stands for a
 * slash.
 */
export function localityOf(labels: Labels): Locality | undefined {
  const written = labels["istio-locality"];
  if (written !== undefined && written !== "") {
    return parseLocality(written.includes("/") ? written : written.replaceAll(".", "/"));
  }
  const region = labels["topology.kubernetes.io/region"];
  const zone = labels["topology.kubernetes.io/zone"];
  if (region === undefined && zone === undefined) {
    return undefined;
  }
  return { region: region ?? "", zone: zone ?? "", subZone: labels["topology.istio.io/subzone"] ?? "" };
}

/** `region/zone/subzone`, or less of it. */
export function parseLocality(text: string): Locality {
  const [region = "", zone = "", subZone = ""] = text.split("/");
  return { region, zone, subZone };
}

import type { Position } from "../diagnostics/position.ts";

/** The part of a `security.istio.io` policy that says whom it is for; what it asks of them is not carried out here. */
export interface SecurityPolicySpec {
  /** Labels of the workloads; undefined is all of the namespace, or of the mesh in the root namespace. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  /** True where it is attached to a Gateway or a Service by name instead. */
  readonly hasTargets: boolean;
  /** Namespaces of callers that rules name, `prefix*` and `*suffix` among them. */
  readonly namespaces: readonly { readonly pattern: string; readonly at: Position }[];
}

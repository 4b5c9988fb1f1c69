/** Who an object is shown to. */
export interface Exports {
  /** As written: namespaces, `.` for its own, `*` for all, `~` for nobody. */
  readonly exportTo: readonly string[];
  /** What the mesh says for objects that say nothing. */
  readonly byDefault: readonly string[];
  /** The object's own namespace. */
  readonly namespace: string;
}

/** Namespaces in full, `*` for all; empty for nobody. Source: Istio `pkg/config/visibility`. */
export function resolveExportTo({ exportTo, byDefault, namespace }: Exports): readonly string[] {
  const written = exportTo.length === 0 ? byDefault : exportTo;
  return written.includes("~") ? [] : written.map((entry) => (entry === "." ? namespace : entry));
}

/** True when a client in `client` sees the object. */
export function isVisibleIn(client: string, exports: Exports): boolean {
  const resolved = resolveExportTo(exports);
  return resolved.includes("*") || resolved.includes(client);
}

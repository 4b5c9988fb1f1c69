import type { ChangedText } from "../manifest/manifest-reader.ts";
import type { VirtualServiceManifest } from "../manifest/manifest.ts";
import { isDeepEqual } from "./deep-equal.ts";

/** A VirtualService whose rules were changed and nothing else. */
export interface ChangedRules {
  readonly before: VirtualServiceManifest;
  readonly after: VirtualServiceManifest;
}

/** Where more changed than this, all is built anew. */
const maxChanged = 32;

/** What changed, if that is nothing but HTTP rules of some VirtualServices; undefined for everything else. */
export function findChangedRules(texts: readonly ChangedText[]): readonly ChangedRules[] | undefined {
  const changed: ChangedRules[] = [];
  for (const { before, after } of texts) {
    if (before.manifests.length !== after.manifests.length) return undefined;
    for (const [index, manifest] of after.manifests.entries()) {
      const old = before.manifests[index];
      if (old === undefined) return undefined;
      if (isDeepEqual(old, manifest)) continue;
      if (old.kind !== "VirtualService" || manifest.kind !== "VirtualService") return undefined;
      if (!isRulesAlone(old, manifest)) return undefined;
      changed.push({ before: old, after: manifest });
      if (changed.length > maxChanged) return undefined;
    }
  }
  return changed;
}

/** Whatever a VirtualService may say beside its HTTP rules, the two say the same. */
function isRulesAlone(before: VirtualServiceManifest, after: VirtualServiceManifest): boolean {
  const { spec } = after;
  if (spec.hosts.length === 0 || spec.tls.length + spec.tcp.length > 0) return false;
  if ([...before.spec.http, ...spec.http].some(({ action }) => action.kind === "delegate")) return false;
  return isDeepEqual(withoutRules(before), withoutRules(after));
}

/** Where a field is written counts for findings about the whole mesh alone, which are not made of this. */
function withoutRules(manifest: VirtualServiceManifest): unknown {
  return { ...manifest, spec: { ...manifest.spec, http: undefined, hostsAt: undefined, gatewaysAt: undefined } };
}

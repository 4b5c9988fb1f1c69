import { isNamed, type Manifest, objectName, type ReleaseManifest } from "../../manifest/manifest.ts";
import { type Refusal, refuseInput, renderList } from "../move/refusals.ts";

export interface ReleaseChoice {
  /** What the manifests are from, for messages. */
  readonly path: string;
  /** `namespace/name` or a name, where one of several is meant. */
  readonly wanted: string | undefined;
}

/** The one Release among manifests; refused with KIR2032 where there is none, or several and none was named. */
export function chooseRelease(
  manifests: readonly Manifest[],
  { path, wanted }: ReleaseChoice,
): { readonly kind: "release"; readonly release: ReleaseManifest } | Refusal {
  const all = manifests.filter((manifest) => manifest.kind === "Release");
  const known = all.map(objectName);
  const [release, ...others] = wanted === undefined ? all : all.filter((one) => isNamed(one, wanted));
  if (release !== undefined && others.length === 0) return { kind: "release", release };
  const details = { known };
  if (release !== undefined) {
    const meant = [release, ...others].map(objectName);
    const hint = `Say which with --release: ${renderList(meant)}.`;
    return refuseInput("KIR2032", `${path} holds ${meant.length} Releases that could be meant.`, { hint, details });
  }
  return refuseInput("KIR2032", `${path} holds no Release${wanted === undefined ? "" : ` ${wanted}`}.`, {
    hint:
      known.length === 0
        ? "A Release is an object of kirikae.dev/v1alpha1; docs/guide/releases.md shows one."
        : `It holds ${renderList(known)}.`,
    details,
  });
}

import { byPlace, type MeshModel, MeshModelBuilder } from "../../core/mesh-model.ts";
import { judgeSecrets } from "../../local/judge-secrets.ts";
import type { ManifestSet } from "../../local/manifest-folder.ts";

/** What the manifests of a folder say, one reading after another; of each, only what changed is built anew. */
export class ManifestModels {
  readonly #builder = new MeshModelBuilder();
  /** Of manifests that name none. */
  readonly defaultNamespace: string;

  constructor(defaultNamespace: string) {
    this.defaultNamespace = defaultNamespace;
  }

  /** All that is needed for serving; findings about the mesh as a whole may be those of the reading before. */
  readServable(manifests: ManifestSet): Promise<MeshModel> {
    return this.#judge(manifests, this.#builder.buildServable(manifests.sources, this.#options()));
  }

  /** The same with all findings, of reading and of meaning, in the order of the files. */
  readWhole(manifests: ManifestSet): Promise<MeshModel> {
    const options = this.#options();
    const servable = this.#builder.buildServable(manifests.sources, options);
    return this.#judge(manifests, this.#builder.finish(servable, manifests.sources, options));
  }

  async #judge({ diagnostics }: ManifestSet, model: MeshModel): Promise<MeshModel> {
    const judged = await judgeSecrets(model);
    if (diagnostics.length === 0) return judged;
    return { ...judged, diagnostics: [...diagnostics, ...judged.diagnostics].toSorted(byPlace) };
  }

  #options(): { readonly defaultNamespace: string; readonly nowMs: number } {
    return { defaultNamespace: this.defaultNamespace, nowMs: Date.now() };
  }
}

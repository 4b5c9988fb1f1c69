import { type Manifest, objectName, type ObjectName, type SecretManifest } from "../manifest/manifest.ts";
import { type Certificate, readCertificates } from "./certificate.ts";
import type { Mesh } from "./mesh.ts";

/** Secrets by name, and what their certificates say, read once each. */
export class SecretDirectory {
  readonly #secrets = new Map<ObjectName, SecretManifest>();
  readonly #namesakes = new Map<string, ObjectName[]>();
  readonly #certificates = new Map<SecretManifest, readonly Certificate[] | undefined>();

  constructor(mesh: Pick<Mesh, "manifests">) {
    for (const manifest of mesh.manifests.filter(isSecret)) {
      const { name } = manifest.metadata;
      this.#secrets.set(objectName(manifest), manifest);
      this.#namesakes.set(name, [...(this.#namesakes.get(name) ?? []), objectName(manifest)]);
    }
  }

  /** The Secret of a name, or of `namespace/name`, in the first of the namespaces that has it. */
  find(name: string, namespaces: readonly string[]): SecretManifest | undefined {
    return namespaces
      .map((namespace) => this.#secrets.get(name.startsWith(`${namespace}/`) ? name : `${namespace}/${name}`))
      .find((secret) => secret !== undefined);
  }

  /** Every Secret of a name, wherever it is, as `namespace/name`. */
  findElsewhere(name: string): readonly ObjectName[] {
    return this.#namesakes.get(name) ?? [];
  }

  /** The certificates in a Secret; undefined when there is none or one cannot be read. */
  certificatesOf(secret: SecretManifest): readonly Certificate[] | undefined {
    if (!this.#certificates.has(secret)) {
      const { certificate } = secret.spec;
      this.#certificates.set(secret, certificate === undefined ? undefined : readCertificates(certificate));
    }
    return this.#certificates.get(secret);
  }
}

function isSecret(manifest: Manifest): manifest is SecretManifest {
  return manifest.kind === "Secret";
}

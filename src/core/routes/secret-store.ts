import { objectName, type ObjectName, type SecretManifest } from "../manifest/manifest.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Secret, SecretId } from "./route-table-tls.ts";

/** What came of looking for a credential; `reason` is plain words, to follow "because", and holds no secret. */
export type Credential =
  | { readonly kind: "found"; readonly id: SecretId }
  | { readonly kind: "missing"; readonly reason: string };

/** Certificates and keys of one mesh, looked up by name and collected as they are used. */
export interface SecretStore {
  /** A certificate with its key, by the name that a `credentialName` gives, for pods of a namespace. */
  findCertificate(name: string, namespace: string): Credential;
  /**
   * What peers' certificates are verified with: the Secret `<name>-cacert`, else the CA in the Secret `name` itself, or
   * in a ConfigMap of that name.
   */
  findTrust(name: string, namespace: string): Credential;
  addCertificateFiles(files: { readonly certificate: string; readonly key: string }): SecretId;
  addTrustFile(files: { readonly ca: string; readonly revocations: string | undefined }): SecretId;
}

/**
 * `found` receives every secret that is used. A name is one of the pods' own namespace; `namespace/name` counts only
 * where it is that namespace, because Istio gives a gateway no Secret of another one.
 * Source: Istio `pilot/pkg/model/credentials/resource.go`, `pilot/pkg/credentials/kube/secrets.go`.
 */
export function createSecretStore(mesh: Pick<Mesh, "manifests">, found: Map<SecretId, Secret>): SecretStore {
  const secrets = indexSecrets(mesh);
  return {
    findCertificate: (written, namespace) => {
      const name = nameIn(written, namespace);
      if (typeof name !== "string") return name;
      return addCertificate(secrets.get(`Secret ${name}`), name, found);
    },
    findTrust: (written, namespace) => {
      const name = nameIn(written, namespace);
      if (typeof name !== "string") return name;
      const holders = [
        secrets.get(`Secret ${name}-cacert`),
        secrets.get(`Secret ${name}`),
        secrets.get(`ConfigMap ${name}`),
      ];
      return addTrust(holders, name, found);
    },
    addCertificateFiles: ({ certificate, key }) => {
      const id = `file:${certificate}~${key}`;
      found.set(id, {
        id,
        kind: "certificate",
        chain: { kind: "file", path: certificate },
        key: { kind: "file", path: key },
      });
      return id;
    },
    addTrustFile: ({ ca, revocations }) => {
      const id = `file:${ca}${revocations === undefined ? "" : `~${revocations}`}-cacert`;
      found.set(id, {
        id,
        kind: "trust",
        ca: { kind: "file", path: ca },
        revocations: revocations === undefined ? undefined : { kind: "file", path: revocations },
      });
      return id;
    },
  };
}

function indexSecrets({ manifests }: Pick<Mesh, "manifests">): ReadonlyMap<string, SecretManifest> {
  const index = new Map<string, SecretManifest>();
  for (const manifest of manifests) {
    if (manifest.kind === "Secret" || manifest.kind === "ConfigMap") {
      index.set(`${manifest.kind} ${objectName(manifest)}`, manifest);
    }
  }
  return index;
}

function nameIn(written: string, namespace: string): ObjectName | Extract<Credential, { kind: "missing" }> {
  const slash = written.indexOf("/");
  if (slash === -1) return `${namespace}/${written}`;
  return written.slice(0, slash) === namespace
    ? written
    : {
        kind: "missing",
        reason: `the Secret ${written} is not in namespace ${namespace}, where the pods are, and no other is read`,
      };
}

function addCertificate(
  secret: SecretManifest | undefined,
  name: ObjectName,
  found: Map<SecretId, Secret>,
): Credential {
  if (secret === undefined) return { kind: "missing", reason: `there is no Secret ${name}` };
  const { certificate, privateKey } = secret.spec;
  if (certificate === undefined || privateKey === undefined) {
    return { kind: "missing", reason: `the Secret ${name} lacks a certificate or its key` };
  }
  const id = `secret:${name}`;
  found.set(id, {
    id,
    kind: "certificate",
    chain: { kind: "inline", bytes: certificate },
    key: { kind: "inline", bytes: privateKey },
  });
  return { kind: "found", id };
}

function addTrust(
  holders: readonly (SecretManifest | undefined)[],
  name: ObjectName,
  found: Map<SecretId, Secret>,
): Credential {
  const holder = holders.find((secret) => secret !== undefined);
  if (holder === undefined) return { kind: "missing", reason: `there is no Secret ${name} or ${name}-cacert` };
  const { ca, revocations } = holder.spec;
  if (ca === undefined) {
    return { kind: "missing", reason: `the ${holder.kind} ${objectName(holder)} has no CA in it` };
  }
  const id = `${holder.kind === "Secret" ? "secret" : "configmap"}:${name}-cacert`;
  found.set(id, {
    id,
    kind: "trust",
    ca: { kind: "inline", bytes: ca },
    revocations: revocations === undefined ? undefined : { kind: "inline", bytes: revocations },
  });
  return { kind: "found", id };
}

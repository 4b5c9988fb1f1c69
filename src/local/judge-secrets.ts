import { diagnostic, type Diagnostic } from "../core/diagnostics/diagnostic.ts";
import { objectName, resourceName } from "../core/manifest/manifest.ts";
import { byPlace, type MeshModel } from "../core/mesh-model.ts";
import type { ListenerServer, RouteTable } from "../core/routes/route-table.ts";
import type { SecretId } from "../core/routes/route-table-tls.ts";
import { withoutSecrets } from "../core/routes/without-secrets.ts";
import { findUnusableSecrets, type Unusable } from "./unusable-secrets.ts";

/**
 * The model without the certificates and keys that Envoy would refuse, each with a finding: what needs them is not
 * served, and everything else is. It reads files and does cryptography, which the core may not.
 */
export async function judgeSecrets(model: MeshModel): Promise<MeshModel> {
  const { table, diagnostics } = model;
  if (table.secrets.size === 0) return model;
  const unusable = await findUnusableSecrets(table.secrets.values());
  if (unusable.size === 0) return model;
  const findings = [...unusable].flatMap(([id, reason]) => report(id, reason, model) ?? []);
  return {
    ...model,
    table: withoutSecrets(table, new Set(unusable.keys())),
    diagnostics: [...diagnostics, ...findings].toSorted(byPlace),
  };
}

function report(
  id: SecretId,
  { kind, reason }: Unusable,
  { mesh, table, diagnostics }: MeshModel,
): Diagnostic | undefined {
  const server = firstServer(id, table);
  const gateway = mesh.gateways.find((candidate) => objectName(candidate) === server?.gateway);
  const name = id.slice(id.indexOf(":") + 1);
  // A destination's place is not known to the table, but its Secret is.
  const secret = mesh.manifests.find(
    (manifest) => manifest.kind === "Secret" && [name, name.replace(/-cacert$/u, "")].includes(objectName(manifest)),
  );
  const subject = gateway ?? secret;
  const about = { resource: subject === undefined ? undefined : resourceName(subject), at: server?.at ?? secret?.at };
  if (kind === "absent") {
    return diagnostic("KIR1007", {
      message: `What needs the certificate ${id} is not served here, because ${reason}.`,
      hint: "Name a Secret by credentialName, or put the files where the manifest says.",
      ...about,
    });
  }
  const isKnown = diagnostics.some((finding) => finding.code === "KIR1203" && finding.message.includes(` ${name} `));
  if (isKnown) return undefined;
  return diagnostic("KIR1203", {
    message: `The certificate ${id} cannot be used, because ${reason}, so TLS handshakes that need it fail.`,
    hint: "Renew it with a certificate chain, its key and CA certificates in PEM.",
    ...about,
  });
}

/** The first server that needs a secret. */
function firstServer(id: SecretId, { listeners }: RouteTable): ListenerServer | undefined {
  const chain = listeners
    .flatMap(({ filterChains }) => filterChains)
    .find(({ tls }) => tls !== undefined && (tls.certificates.includes(id) || tls.clientCa === id));
  return chain?.servers[0];
}

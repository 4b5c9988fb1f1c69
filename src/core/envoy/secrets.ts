import { create } from "@bufbuild/protobuf";
import type { DataSourceSchema } from "../../gen/envoy/config/core/v3/base_pb.ts";
import {
  type SdsSecretConfigSchema,
  type Secret as EnvoySecret,
  SecretSchema,
} from "../../gen/envoy/extensions/transport_sockets/tls/v3/secret_pb.ts";
import type { Destination, Listener, RouteTable } from "../routes/route-table.ts";
import type { Secret, SecretData, SecretId } from "../routes/route-table-tls.ts";
import { emitAdsSource } from "./config-sources.ts";
import type { Init } from "./init.ts";
import { trustsNobody } from "./trusts-nobody.ts";

/** The certificates that this machine trusts, as a secret: every destination that trusts them shares it. */
export const systemTrustName: SecretId = "kirikae_system_trust";

/** PEM of the certificates that this machine trusts; only read where some destination trusts them. */
export type SystemTrust = () => Uint8Array | undefined;

/**
 * Emits what listeners and destinations name, and nothing else: a key that nobody uses stays here. A name that stands
 * for nothing becomes a list that trusts nobody, because a proxy would wait for it for ever.
 */
export function emitSecrets(table: RouteTable, system: SystemTrust | undefined): readonly EnvoySecret[] {
  const { certificates, trust } = namedSecrets(table);
  return [
    ...[...certificates].flatMap((id) => {
      const secret = table.secrets.get(id);
      return secret?.kind === "certificate" ? [emitSecret(secret)] : [];
    }),
    ...[...trust].map((id) => {
      const secret = id === systemTrustName ? systemSecret(system) : table.secrets.get(id);
      return secret?.kind === "trust" ? emitSecret(secret) : emitDistrust(id);
    }),
  ];
}

/** Where a proxy gets a secret: over the same stream as everything else, so that a new one needs no new listener. */
export function emitSecretSource(id: SecretId): Init<typeof SdsSecretConfigSchema> {
  return { name: id, sdsConfig: emitAdsSource() };
}

interface NamedSecrets {
  readonly certificates: ReadonlySet<SecretId>;
  readonly trust: ReadonlySet<SecretId>;
}

function namedSecrets(table: RouteTable): NamedSecrets {
  const certificates = new Set<SecretId>();
  const trust = new Set<SecretId>();
  for (const listener of table.listeners) noteListener(listener, certificates, trust);
  for (const destination of table.destinations.values()) noteDestination(destination, certificates, trust);
  return { certificates, trust };
}

function noteListener({ filterChains }: Listener, certificates: Set<SecretId>, trust: Set<SecretId>): void {
  for (const { tls } of filterChains) {
    for (const id of tls?.certificates ?? []) certificates.add(id);
    if (tls?.clientCa !== undefined) trust.add(tls.clientCa);
  }
}

function noteDestination({ policy: { tls } }: Destination, certificates: Set<SecretId>, trust: Set<SecretId>): void {
  if (tls === undefined) return;
  if (tls.certificate !== undefined) certificates.add(tls.certificate);
  if (tls.trust.kind === "secret") trust.add(tls.trust.id);
  if (tls.trust.kind === "system") trust.add(systemTrustName);
}

function systemSecret(system: SystemTrust | undefined): Secret | undefined {
  const bytes = system?.();
  if (bytes === undefined) return undefined;
  return { id: systemTrustName, kind: "trust", ca: { kind: "inline", bytes }, revocations: undefined };
}

function emitSecret(secret: Secret): EnvoySecret {
  switch (secret.kind) {
    case "certificate":
      return create(SecretSchema, {
        name: secret.id,
        type: {
          case: "tlsCertificate",
          value: { certificateChain: emitData(secret.chain), privateKey: emitData(secret.key) },
        },
      });
    case "trust":
      return create(SecretSchema, {
        name: secret.id,
        type: {
          case: "validationContext",
          value: {
            trustedCa: emitData(secret.ca),
            ...(secret.revocations === undefined ? {} : { crl: emitData(secret.revocations) }),
          },
        },
      });
  }
}

/** Without any list Envoy would take every certificate. */
function emitDistrust(id: SecretId): EnvoySecret {
  const trustedCa = { specifier: { case: "inlineString" as const, value: trustsNobody } };
  return create(SecretSchema, { name: id, type: { case: "validationContext", value: { trustedCa } } });
}

function emitData(data: SecretData): Init<typeof DataSourceSchema> {
  switch (data.kind) {
    case "inline":
      return { specifier: { case: "inlineBytes", value: data.bytes } };
    case "file":
      return { specifier: { case: "filename", value: data.path } };
  }
}

/** The same without its key, for people to read. */
export function withholdKey(secret: EnvoySecret): EnvoySecret {
  if (secret.type.case !== "tlsCertificate") return secret;
  const { privateKey } = secret.type.value;
  if (privateKey?.specifier.case === "filename") return secret;
  return create(SecretSchema, {
    name: secret.name,
    type: {
      case: "tlsCertificate",
      value: {
        certificateChain: secret.type.value.certificateChain,
        privateKey: { specifier: { case: "inlineString", value: "withheld" } },
      },
    },
  });
}

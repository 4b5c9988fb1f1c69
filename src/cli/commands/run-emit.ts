import { stringify } from "yaml";
import { emitEnvoy, renderEnvoyJson } from "../../core/envoy/emit-envoy.ts";
import { renderStaticDocument } from "../../core/envoy/static-document.ts";
import type { Listener, RouteTable } from "../../core/routes/route-table.ts";
import type { CommandContext } from "../command.ts";
import { findAddresses, type KnownAddresses } from "../known-addresses.ts";
import { loadChosen } from "../load-live.ts";
import { noteErrors } from "../load-mesh.ts";
import { narrowTable } from "../narrow-table.ts";
import { renderJson } from "../neutralise.ts";
import { countOf } from "../print/words.ts";
import type { EmitOptions } from "./emit.ts";

/** Prints what Envoy would be sent for the manifests; nothing is started, and no private key is printed. */
export async function runEmit(context: CommandContext, paths: readonly string[], options: EmitOptions): Promise<void> {
  const { terminal } = context;
  const loaded = await loadChosen(context, paths, options);
  const errors = noteErrors(loaded, terminal);
  const table = narrowTable(loaded.table, options);
  const addresses = await findAddresses(loaded.mesh, context.env);
  const resources = emitEnvoy(table, {
    bind: chooseBinds(table),
    endpoints: (workload) => endpointsOf(addresses, workload),
  });
  const { type, format } = options;
  const document = type === "all" ? renderStaticDocument(resources) : (renderEnvoyJson(resources)[type] ?? []);
  terminal.answer(format === "json" ? renderJson(document, 2) : renderYaml(document));
  const { secrets } = resources;
  if (secrets.length > 0) terminal.note(describeSecrets(secrets.length, type));
  context.finish(errors === 0 ? 0 : 1);
}

/** Long texts stay on one line, so that a line can be searched for; nothing is an alias of something else. */
function renderYaml(document: unknown): string {
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 }).trimEnd();
}

function describeSecrets(count: number, type: EmitOptions["type"]): string {
  const subject = countOf(count, "secret");
  if (type === "all")
    return `${subject} named here: certificates and keys come on kirikae's stream and are not printed.`;
  return `${subject}; private keys that manifests hold are withheld, keys in files are named by their path.`;
}

/**
 * Listeners stand on the ports that manifests name. Proxies on one port, which a cluster runs in pods of their own, get
 * loopback addresses of their own, because one Envoy cannot have two listeners at one place.
 */
function chooseBinds(table: RouteTable): (listener: Listener) => { readonly address: string; readonly port: number } {
  const taken = new Map<string, string>();
  const places = new Map<Listener, string>();
  for (const listener of table.listeners.filter(({ role }) => role.kind !== "inbound")) {
    let address = listener.bind ?? "0.0.0.0";
    for (let host = 2; taken.has(`${address}:${listener.port}`) && host < 65_000; host += 1) {
      address = `127.0.${host >> 8}.${host & 255}`;
    }
    taken.set(`${address}:${listener.port}`, listener.id);
    places.set(listener, address);
  }
  return (listener) => ({ address: places.get(listener) ?? "0.0.0.0", port: listener.port });
}

function endpointsOf(
  addresses: KnownAddresses,
  workload: string,
): readonly { readonly address: string; readonly port: number }[] {
  return (addresses.get(workload) ?? []).map((text) => {
    const colon = text.lastIndexOf(":");
    return { address: text.slice(0, colon).replaceAll(/^\[|\]$/gu, ""), port: Number(text.slice(colon + 1)) };
  });
}

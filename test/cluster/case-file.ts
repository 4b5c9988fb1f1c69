import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import type { KubeObject } from "./kube-client.ts";

const folder = fileURLToPath(new URL("../../testdata/istiod/", import.meta.url));

/** One request of a case, as its comment line says it. */
export interface CaseRequest {
  /** The line itself. */
  readonly text: string;
  readonly scheme: "http" | "https" | "tcp" | "tls";
  readonly method: string;
  /** Host and port as the client writes them. */
  readonly authority: string;
  /** The gateway's port, from the URL or from its scheme. */
  readonly port: number;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** More than 1 where shares or retries leave the answer to chance: the sets of answers are compared. */
  readonly times: number;
  /** Waits for the copies that mirrors make. */
  readonly isMirrored: boolean;
  /** The name of the certificate that the client shows. */
  readonly client: string | undefined;
  /** `namespace/name` of the workload that sends it through its sidecar; undefined comes from outside, to the gateway. */
  readonly from: string | undefined;
}

/** What a placeholder such as `PORT_blue` stands for. */
export type Fill = (kind: "PORT" | "CERT" | "KEY", name: string) => string;

/** A workload with a sidecar. */
export interface Caller {
  /** `namespace/name`. */
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  /** Of its pods. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Manifests and what is asked of them. */
export interface OracleCase {
  readonly name: string;
  /** The first comment line. */
  readonly title: string;
  /** In the order of the file; those with a creationTimestamp are created after those without, oldest first. */
  readonly manifests: readonly KubeObject[];
  readonly requests: readonly CaseRequest[];
  /** The workloads that its requests come from. */
  readonly callers: readonly Caller[];
  /** The id of an intended difference, from a line `# differs: `; such a case fails when the two sides agree. */
  readonly differs: string | undefined;
}

/**
 * A file of `testdata/istiod`: its first line says what it is about, and lines `# request: GET http://host/path` with
 * `| name: value` for each header what to ask. `| tls-client: name` is no header, but whose certificate the client shows,
 * and `| from: namespace/name` a workload of the case or of `callers.yaml` that sends it.
 * `PORT_name` stands for the port of a backend, `CERT_name`, `KEY_name` for the parts of a certificate in base64.
 * A line `# differs: ` names the intended difference that it shows. Without a Gateway of its own, a case gets `default/gw` of `open-gateway.yaml`.
 */
export function readCases(fill: Fill): readonly OracleCase[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml") && !sharedFiles.has(file))
    .toSorted()
    .map((file) => readCase(file, fill));
}

const sharedFiles: ReadonlySet<string> = new Set(["world.yaml", "open-gateway.yaml", "callers.yaml"]);

function readCase(file: string, fill: Fill): OracleCase {
  const text = readText(file);
  const own = parseObjects(text, fill);
  const requests = parseRequests(text);
  const senders = new Set(requests.flatMap(({ from }) => from ?? []));
  const hasGateway = own.some(({ kind }) => kind === "Gateway" || kind === "Ingress");
  const shared = senders.size > 0 ? "callers.yaml" : hasGateway ? undefined : "open-gateway.yaml";
  const manifests = [...(shared === undefined ? [] : parseObjects(readText(shared), fill)), ...own];
  return {
    name: file.replace(/\.yaml$/, ""),
    title: /^# (?<title>.*)$/m.exec(text)?.groups?.["title"] ?? file,
    manifests,
    requests,
    callers: [...senders].map((id) => findCaller(id, manifests)),
    differs: /^# differs: (?<why>.*)$/m.exec(text)?.groups?.["why"],
  };
}

function findCaller(id: string, manifests: readonly KubeObject[]): Caller {
  const found = manifests.find(
    ({ kind, metadata }) => kind === "Deployment" && `${metadata.namespace ?? ""}/${metadata.name}` === id,
  );
  if (found === undefined) throw new Error(`no Deployment ${id}`);
  const { template } = found["spec"] as PodOwner;
  return { id, name: found.metadata.name, namespace: found.metadata.namespace ?? "", labels: template.metadata.labels };
}

/** The part of a Deployment's spec that is read here. */
interface PodOwner {
  readonly template: { readonly metadata: { readonly labels: Caller["labels"] } };
}

/** The services that every case can send to. */
export function readWorld(fill: Fill): readonly KubeObject[] {
  return parseObjects(readText("world.yaml"), fill);
}

/** Namespace `default` where none is named, as kubectl has it. */
function parseObjects(yaml: string, fill: Fill): readonly KubeObject[] {
  const text = yaml.replaceAll(/\b(?<kind>PORT|CERT|KEY)_(?<name>[a-z0-9-]+)/g, (_, kind: "PORT", name: string) =>
    fill(kind, name),
  );
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null)
    .map((object) => ({ ...object, metadata: { namespace: "default", ...object.metadata } }));
}

function readText(file: string): string {
  return readFileSync(`${folder}${file}`, "utf8");
}

function parseRequests(text: string): readonly CaseRequest[] {
  return text.split("\n").flatMap((line) => {
    const found = /^# request(?: x(?<times>\d+))?(?<mirrored> mirrored)?: (?<rest>.*)$/.exec(line);
    const { times, mirrored, rest } = found?.groups ?? {};
    if (rest === undefined) return [];
    return [{ ...parseRequest(rest), times: Number(times ?? 1), isMirrored: mirrored !== undefined }];
  });
}

const defaultPorts = { http: 80, https: 443, tcp: 9000, tls: 443 } as const;

/** `GET http://host:81/path | name: value`; a port in the URL is sent in the Host header unless `@81` names it. */
function parseRequest(text: string): Omit<CaseRequest, "times" | "isMirrored"> {
  const [first = "", ...fields] = text.split(" | ");
  const found =
    /^(?:(?<method>[A-Z]+) )?(?<scheme>https?|tcp|tls):\/\/(?<authority>[^/@ ]*)(?:@(?<at>\d+))?(?<target>\S*)$/.exec(
      first.trim(),
    );
  const { method, scheme, authority, at, target } = found?.groups ?? {};
  if (scheme === undefined || authority === undefined) throw new Error(`not a request: ${text}`);
  const headers = fields.map((field): readonly [string, string] => [
    field.slice(0, field.indexOf(":")),
    field.slice(field.indexOf(":") + 1).trim(),
  ]);
  const known = scheme as keyof typeof defaultPorts;
  const port = /:(?<port>\d+)$/.exec(authority)?.groups?.["port"];
  return {
    text,
    scheme: known,
    method: method ?? "GET",
    authority,
    port: Number(at ?? port ?? defaultPorts[known]),
    target: target === undefined || target === "" ? "/" : target,
    headers: headers.filter(([name]) => name !== "tls-client" && name !== "from"),
    client: headers.find(([name]) => name === "tls-client")?.[1],
    from: headers.find(([name]) => name === "from")?.[1],
  };
}

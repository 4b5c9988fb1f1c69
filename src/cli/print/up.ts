import { readFileSync } from "node:fs";
import type { GatewayAddress, ServiceStatus, VersionStatus } from "../../api/types.ts";
import type { ReadyEvent, UpEvent } from "../../app-types.ts";
import type { Diagnostic } from "../../core/diagnostics/diagnostic.ts";
import { inkVersion, type Ink } from "../ink.ts";
import type { Terminal } from "../terminal.ts";
import { createSourceLines } from "../source-lines.ts";
import { renderDiagnostics } from "./diagnostics.ts";
import { asSentence } from "./words.ts";
import { renderJson } from "../neutralise.ts";

/** More would push what matters out of the terminal. */
const maxFindings = 30;

/**
 * Prints what `up` does. For people: the answer once it is ready, everything else as notes. For scripts: one object a
 * line, the first of them `ready`; what happens before goes to stderr as text.
 */
export function createUpPrinter(terminal: Terminal, form: "text" | "json"): (event: UpEvent) => void {
  let isReady = false;
  return (event) => {
    if (event.kind === "ready") isReady = true;
    if (form === "json" && isReady) terminal.answer(renderJson(toJson(event)));
    else if (event.kind === "ready") terminal.answer(renderReady(event, terminal.ink));
    else {
      const text = renderUpEvent(event, terminal.noteInk);
      if (text !== "") terminal.note(text);
    }
  };
}

/** `ready` has the keys of the contract first; the page's link holds a key, so a log of it should be kept private. */
function toJson(event: UpEvent): Readonly<Record<string, unknown>> {
  if (event.kind !== "ready") {
    const { kind, ...rest } = event;
    return { event: kind, ...rest };
  }
  const gateways = event.gateways.map(({ gateway, server, address, ...rest }) => ({
    gateway,
    server,
    address,
    ...rest,
  }));
  return {
    event: "ready",
    ...(event.contexts !== undefined && { contexts: event.contexts }),
    api: event.api,
    gateways,
    pageUrl: event.pageUrl,
    services: event.services,
    callers: event.callers,
  };
}

function renderReady(event: ReadyEvent, ink: Ink): string {
  const gateways = event.gateways.flatMap((gateway) => {
    const where = event.contexts === undefined ? `${gateway.protocol}://${gateway.address}` : gateway.address;
    const head = `  ${ink.bold(gateway.gateway)} ${gateway.server}  port ${gateway.port} at ${where}`;
    const curl = event.contexts === undefined ? renderCurl(gateway) : undefined;
    return curl === undefined ? [head] : [head, `    ${ink.cyan(curl)}`];
  });
  const services = event.services.map((service) => {
    const live = service.live === undefined ? "split" : inkVersion(ink, service.live);
    return `  ${ink.bold(service.virtualService)}  ${service.hosts.join(", ")}  live: ${live}`;
  });
  const parts = [
    ink.green(ink.bold(event.contexts === undefined ? "Ready" : `Ready for ${event.contexts.join(", ")}`)),
    ...(gateways.length === 0 ? [] : ["Gateways", ...gateways]),
    ...(services.length === 0 ? [] : ["Services", ...services]),
    ...renderCallers(event, ink),
    "Status page (this link signs one browser in)",
    `  ${ink.cyan(event.pageUrl)}`,
    ...renderNextCommand(event, ink),
    ink.dim(
      event.contexts === undefined
        ? "Ctrl-C stops everything that this started."
        : "Ctrl-C ends this; traffic stays as it is, and releases go on with the next one.",
    ),
  ];
  return parts.join("\n");
}

/** With gateways only the command: most people try those first. */
function renderCallers({ callers, gateways, callToTry }: ReadyEvent, ink: Ink): readonly string[] {
  const injected = callers.filter(({ proxy }) => proxy !== null);
  const lines = [
    ...(gateways.length > 0
      ? []
      : injected.map(({ workload, proxy }) => `  ${ink.bold(workload)}  sends through http://${proxy ?? ""}`)),
    ...(callToTry === undefined
      ? []
      : [`    ${ink.cyan(`npx kirikae curl --from ${callToTry.from} ${callToTry.url}`)}`]),
  ];
  return lines.length === 0 ? [] : ["Callers inside the mesh", ...lines];
}

/** Any host of a wildcard will do for a try where no rule takes one of its own. */
function renderCurl(gateway: GatewayAddress): string | undefined {
  const { hosts, routedHost, address, protocol, asksForCertificate } = gateway;
  if (protocol === "tls" || protocol === "tcp") return undefined;
  const first = routedHost ?? hosts[0];
  const host = first?.replace(/^.*\//u, "").replace(/^\*\./u, "any.");
  const isNamed = host !== undefined && host !== "" && host !== "*";
  if (protocol === "https") {
    const name = isNamed ? host : "localhost";
    const port = address.slice(address.lastIndexOf(":") + 1);
    const certificate = asksForCertificate ? "--cert CLIENT.crt --key CLIENT.key " : "";
    return `curl --insecure ${certificate}--resolve ${name}:${port}:127.0.0.1 https://${name}:${port}/`;
  }
  return isNamed ? `curl -H 'Host: ${host}' http://${address}/` : `curl http://${address}/`;
}

function renderNextCommand(event: ReadyEvent, ink: Ink): readonly string[] {
  const switches = event.services.flatMap((service) => {
    const other = service.versions.find((version) => canSwitch(service, version));
    return other === undefined ? [] : [{ service, other }];
  });
  // Destinations that are hosts of their own can be steps of one way, such as an egress gateway and what is behind it.
  const first = switches.find(({ other }) => !other.name.includes(".")) ?? switches[0];
  if (first === undefined) return [];
  const { service, other } = first;
  const [namespace, name] = service.virtualService.split("/");
  const isUnique = event.services.filter((candidate) => candidate.virtualService.endsWith(`/${name}`)).length === 1;
  const where = isUnique ? "" : ` -n ${namespace}`;
  const context = (event.contexts ?? []).map((each) => `--context ${each} `).join("");
  return [
    "Try in a second terminal",
    `  ${ink.cyan(`npx kirikae ${context}switch ${name}${where} --to ${other.name}`)}`,
  ];
}

/** Where rules lead to different services, a version of one is none of another, and a switch would be refused. */
function canSwitch({ live, rules }: ServiceStatus, { name, readyEndpoints }: VersionStatus): boolean {
  if (live === undefined || name === live || readyEndpoints === 0) return false;
  const moved = rules.filter(({ role }) => role === "public");
  return moved.length > 0 && moved.every(({ weights }) => name in weights && live in weights);
}

function renderUpEvent(event: Exclude<UpEvent, ReadyEvent>, ink: Ink): string {
  switch (event.kind) {
    case "progress":
      return ink.dim(event.message);
    case "diagnostics":
      return renderFindings(event.diagnostics, ink);
    case "manifestsApplied":
      return [renderFindings(event.diagnostics, ink), `${ink.green("applied")} ${tidySummary(event.summary)}`]
        .filter(Boolean)
        .join("\n");
    case "manifestsRefused":
      return [
        renderFindings(event.diagnostics, ink),
        `${ink.red("refused")} ${asSentence(event.reason)} What ran before still runs.`,
      ]
        .filter(Boolean)
        .join("\n");
    case "move":
      return renderMove(event, ink);
    case "envoy":
      return `${event.state === "exited" ? ink.red("envoy exited") : `envoy ${event.state}`} ${event.detail}`.trimEnd();
    case "notice":
      return event.line;
    case "warning":
      return `${ink.yellow("warning")} ${event.message}`;
  }
}

/** Notes are sentences, and what joins them is not. */
function tidySummary(summary: string): string {
  return summary.replaceAll(/\.(?=;)/gu, "");
}

function renderMove({ virtualService, progress }: Extract<UpEvent, { kind: "move" }>, ink: Ink): string {
  if (progress.kind === "planned") {
    const { verb, from, to, actor } = progress.plan;
    return `${verb} ${virtualService}: ${inkVersion(ink, from)} to ${inkVersion(ink, to)}, asked for by ${actor}`;
  }
  if (progress.kind !== "finished") return "";
  const { result } = progress;
  const end = result.ok ? ink.green("done and proved") : ink.red(`${result.outcome}: ${result.message ?? ""}`);
  const failed = result.ledger === null ? "" : `, ${result.ledger.failed} of ${result.ledger.requests} requests failed`;
  return `${result.plan.verb} ${virtualService}: ${end}${failed}`;
}

function renderFindings(diagnostics: readonly Diagnostic[], ink: Ink): string {
  const first = diagnostics.slice(0, maxFindings);
  const paths = new Set(first.flatMap(({ at }) => at?.file ?? []));
  const sources = [...paths].map((path) => ({ path, text: readText(path) }));
  const shown = renderDiagnostics(first, createSourceLines(sources), ink);
  const hidden = diagnostics.length - maxFindings;
  return hidden > 0 ? `${shown}\n... and ${hidden} more; \`kirikae check\` shows all` : shown;
}

/** The file as it is now, which a moment after it was read is nearly always what was read. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error) return "";
    throw error;
  }
}

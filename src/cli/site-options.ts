import { Option, type Command } from "commander";
import type { SiteOptions } from "../app/site/connection/site-options.ts";
import { usageError } from "./usage-error.ts";

/** As Commander has read them. */
export interface SiteFlags {
  readonly context?: readonly string[];
  readonly kubeconfig?: string;
  readonly istiod?: readonly string[];
  readonly proxyAdmin?: readonly string[];
  readonly gatewayAddress?: readonly string[];
  readonly istioNamespace?: string;
  readonly takeOver?: readonly string[];
}

/** Options of every command, before or after its name: which cluster it is about. */
export function addSiteOptions(program: Command): Command {
  return program
    .addOption(several("--context <name>", "a cluster, by its context of the kubeconfig; `up` takes several"))
    .option("--kubeconfig <file>", "the kubeconfig; else KUBECONFIG, then ~/.kube/config")
    .addOption(several("--istiod <url>", "where istiod's debug port is reached; else its pods, through the API server"))
    .addOption(several("--proxy-admin <pod.namespace=url>", "where a proxy's admin port is reached; unix:/path too"))
    .addOption(
      several("--gateway-address <namespace/gateway[:port]=host:port>", "where probes of releases reach a Gateway"),
    )
    .option("--istio-namespace <namespace>", "where istiod runs; istio-system by default")
    .addOption(several("--take-over <manager>", "take over weights that this field manager owns"));
}

/** The clusters that were named, each with how it is reached; none is this machine. */
export function readSiteOptions(program: Command, env: NodeJS.ProcessEnv): readonly SiteOptions[] {
  const flags = program.opts<SiteFlags>();
  const contexts = [...new Set(flags.context ?? [])];
  if (contexts.length === 0) {
    const [given] = Object.keys(flags);
    if (given === undefined) return [];
    throw usageError(`--${toOption(given)} goes with --context only.`, "Name the cluster with --context.");
  }
  const common = readReach(flags, env);
  return contexts.map((context) => ({ ...common, context }));
}

/** How the parts of a cluster are reached, whichever it is. */
export function readReach(flags: SiteFlags, env: NodeJS.ProcessEnv): Omit<SiteOptions, "context"> {
  return {
    kubeconfig: flags.kubeconfig,
    istiods: flags.istiod ?? listOf(env["KIRIKAE_ISTIOD"]),
    proxyAdmins: new Map((flags.proxyAdmin ?? listOf(env["KIRIKAE_PROXY_ADMIN"])).map(parseAdmin)),
    gatewayAddresses: new Map(
      (flags.gatewayAddress ?? listOf(env["KIRIKAE_GATEWAY_ADDRESS"])).map(parseGatewayAddress),
    ),
    istioNamespace: flags.istioNamespace ?? "istio-system",
    takeOver: flags.takeOver ?? [],
  };
}

function several(name: string, summary: string): Option {
  return new Option(name, summary).argParser(collect);
}

function collect(value: string, before: unknown): readonly string[] {
  return [...(Array.isArray(before) ? before.map(String) : []), value];
}

function toOption(key: string): string {
  return key.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}

function listOf(text: string | undefined): readonly string[] {
  return (text ?? "").split(",").filter((each) => each !== "");
}

function parseAdmin(text: string): readonly [pod: string, url: string] {
  const parts = /^(?<pod>[^=\s]+\.[^=.\s]+)=(?<url>(?:https?:\/\/|unix:\/).+)$/u.exec(text)?.groups;
  if (parts === undefined) {
    // What follows may be an address with a password in it.
    const [shown = ""] = text.split("=", 1);
    throw usageError(
      `"${shown.slice(0, 100)}" does not say which proxy is where.`,
      "Write it as in --proxy-admin gateway-7f9.istio-system=http://127.0.0.1:15000.",
    );
  }
  return [parts["pod"] ?? "", parts["url"] ?? ""];
}

function parseGatewayAddress(text: string): readonly [gateway: string, address: string] {
  const parts = /^(?<gateway>[^\s/=:]+\/[^\s/=:]+(?::\d+)?)=(?<address>[^\s/]+:\d+)$/u.exec(text)?.groups;
  const { gateway, address } = parts ?? {};
  if (gateway === undefined || address === undefined || !URL.canParse(`tcp://${address}`)) {
    throw usageError(
      `"${text}" does not say which Gateway is where.`,
      "Write it as in --gateway-address istio-system/public:80=127.0.0.1:8080.",
    );
  }
  return [gateway, address];
}

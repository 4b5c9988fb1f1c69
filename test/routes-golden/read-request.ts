import type { SimulatedRequest } from "../../src/core/routes/simulation.ts";

/**
 * Lines `# request: GET https://host/path | name: value | sni: name | from: namespace/workload`, without their mark.
 * `authority` and `target` stand for what the URL cannot say: another Host header, and what is no path.
 */
export function requestLines(text: string): readonly string[] {
  return [...text.matchAll(/^# request: (?<line>.+)$/gm)].map((match) => match.groups?.["line"] ?? "");
}

const specialNames: ReadonlySet<string> = new Set(["sni", "from", "authority", "target"]);

export function readRequest(line: string): SimulatedRequest {
  const [start = "", ...parts] = line.split(" | ");
  const { method, scheme, host, port, target } =
    /^(?<method>\S+) (?<scheme>https?):\/\/(?<host>[^/:]+)(?::(?<port>\d+))?(?<target>\/\S*)$/.exec(start)?.groups ??
    {};
  if (method === undefined || host === undefined) throw new Error(`not a request: ${line}`);
  const named = parts.map((part): readonly [string, string] => {
    const colon = part.indexOf(": ");
    return [part.slice(0, colon), part.slice(colon + 2)];
  });
  const special = new Map(named.filter(([name]) => specialNames.has(name)));
  const sni = special.get("sni");
  const from = special.get("from");
  return {
    port: Number(port ?? (scheme === "https" ? 443 : 80)),
    scheme: scheme === "https" ? "https" : "http",
    authority: special.get("authority") ?? (port === undefined ? host : `${host}:${port}`),
    method,
    target: special.get("target") ?? target ?? "/",
    headers: named.filter(([name]) => !special.has(name)),
    ...(sni === undefined ? {} : { sni }),
    ...(from === undefined ? {} : { from }),
  };
}

import type { AskedConnection } from "../../src/cli/explain-connection.ts";

/** Lines `# connection: host:port | sni: name | from: namespace/workload`, without their mark; a name asks for TLS. */
export function connectionLines(text: string): readonly string[] {
  return [...text.matchAll(/^# connection: (?<line>.+)$/gm)].map((match) => match.groups?.["line"] ?? "");
}

export function readConnection(line: string): AskedConnection {
  const [start = "", ...parts] = line.split(" | ");
  const { host, port } = /^(?<host>\S+):(?<port>\d+)$/.exec(start)?.groups ?? {};
  if (host === undefined) throw new Error(`not a connection: ${line}`);
  const named = new Map(
    parts.map((part): readonly [string, string] => {
      const colon = part.indexOf(": ");
      return [part.slice(0, colon), part.slice(colon + 2)];
    }),
  );
  const serverName = named.get("sni");
  return { host, port: Number(port), from: named.get("from"), isTls: serverName !== undefined, serverName };
}

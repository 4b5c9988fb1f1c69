import type { LiveAnswer } from "../ask-live.ts";
import type { Ink } from "../ink.ts";
import { neutraliseLine } from "../neutralise.ts";

/** Whether the running Envoy does what the manifests say, and where it does not. */
export function renderLive(live: LiveAnswer, ink: Ink): string {
  const { agrees, address, differences } = live;
  const head = agrees ? ink.green(ink.bold("Envoy agrees")) : ink.red(ink.bold("Envoy differs"));
  const said = neutraliseLine(`at ${address}: ${describeSaid(live)}`);
  return [`${head} ${said}`, ...differences.map((text) => `  ${neutraliseLine(text)}`)].join("\n");
}

function describeSaid({ route, cluster, status, ended, carries }: LiveAnswer): string {
  if (ended !== null) return `it ends the connection (${ended})`;
  if (carries === true) return "it takes the connection and keeps it open";
  const drawn = cluster === null ? "" : `, and drew ${cluster}`;
  const answered = status === null ? "" : `, and answers ${status} by itself`;
  return `${route === null ? "no route" : `route ${route}`}${drawn}${answered}`;
}

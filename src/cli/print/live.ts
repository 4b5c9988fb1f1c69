import type { LiveAnswer } from "../ask-live.ts";
import type { Ink } from "../ink.ts";
import { neutraliseLine } from "../neutralise.ts";

/** Whether the running Envoy does what the manifests say, and where it does not. */
export function renderLive({ agrees, address, route, cluster, status, differences }: LiveAnswer, ink: Ink): string {
  const head = agrees ? ink.green(ink.bold("Envoy agrees")) : ink.red(ink.bold("Envoy differs"));
  const drawn = cluster === null ? "" : `, and drew ${cluster}`;
  const answered = status === null ? "" : `, and answers ${status} by itself`;
  const said = `at ${address}: ${route === null ? "no route" : `route ${route}`}${drawn}${answered}`;
  return [`${head} ${neutraliseLine(said)}`, ...differences.map((text) => `  ${neutraliseLine(text)}`)].join("\n");
}

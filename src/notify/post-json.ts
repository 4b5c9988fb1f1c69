import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { errorText } from "../core/diagnostics/error-text.ts";
import { KirikaeError } from "../core/diagnostics/error.ts";
import type { AddressRule } from "../local/limit-addresses.ts";

export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Says which addresses may be posted to; absent is all. */
  readonly addresses?: AddressRule | undefined;
}

/** `refused` is the receiver's word that this message is wrong, so that sending it again helps nothing. */
export type PostOutcome = { readonly kind: "taken" } | { readonly kind: "refused" | "failed"; readonly reason: string };

/** Posts once, on a connection of its own, and follows no redirect: the message was meant for this address. Never rejects. */
export async function postJson({ url, body, headers, timeoutMs, signal, addresses }: Post): Promise<PostOutcome> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const limited = addresses?.(new URL(url)) ?? {};
    const status = await new Promise<number>((resolve, reject) => {
      const send = url.startsWith("https:") ? requestHttps : requestHttp;
      const sent = send(url, {
        ...limited,
        method: "POST",
        agent: false,
        signal: AbortSignal.any([signal, limit]),
        headers: { ...headers, "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) },
      });
      sent.on("error", reject);
      sent.on("response", (answer) => {
        // What it says does not matter, and may be endless.
        answer.on("error", () => undefined);
        answer.destroy();
        resolve(answer.statusCode ?? 0);
      });
      sent.end(body);
    });
    return judgeStatus(status);
  } catch (error) {
    // It is where it is, and is refused the next time as well.
    if (error instanceof KirikaeError) return { kind: "refused", reason: `${error.code} ${error.message}` };
    const reason = limit.aborted ? `no answer within ${timeoutMs / 1_000} s` : errorText(error);
    return { kind: "failed", reason };
  }
}

/** 408 and 429 ask for patience, 5xx may be over in a moment. */
function judgeStatus(status: number): PostOutcome {
  if (status >= 200 && status < 300) return { kind: "taken" };
  const isFinal = status >= 300 && status < 500 && status !== 408 && status !== 429;
  return { kind: isFinal ? "refused" : "failed", reason: `it answers ${status}` };
}

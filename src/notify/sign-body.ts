import { createHmac } from "node:crypto";

/**
 * The value of `X-Kirikae-Signature`: HMAC-SHA-256 over the timestamp of `X-Kirikae-Timestamp`, a full stop and the
 * bytes of the body. The timestamp is signed too, so that an old message cannot be sent again as a new one.
 */
export function signBody(
  body: string,
  { secret, timestamp }: { readonly secret: string; readonly timestamp: string },
): string {
  return `sha256=${createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex")}`;
}

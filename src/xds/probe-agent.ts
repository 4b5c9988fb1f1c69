import { randomBytes } from "node:crypto";

/**
 * The User-Agent of requests that this process sends by itself through its proxies: it counts them by their answers, so
 * that a ledger of visitors leaves them out. Nobody else can know it, and be left out too.
 */
export const probeAgent = `kirikae-probe/${randomBytes(8).toString("hex")}`;

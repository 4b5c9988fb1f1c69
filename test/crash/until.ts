import { setTimeout as delay } from "node:timers/promises";

/** Looks every millisecond, for moments that are as short. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`waited 20 s in vain for ${what}`);
    await delay(1);
  }
}

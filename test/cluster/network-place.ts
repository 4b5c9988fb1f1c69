import { randomInt } from "node:crypto";

/** Where the programs of a cluster listen. */
export interface NetworkPlace {
  /** The control plane's own address. */
  readonly host: string;
  /** What starts a program there; nothing on this machine's own loopback. */
  readonly enter: readonly string[];
  /** An address for one pod, which nobody else has. */
  takeAddress(): string;
}

/**
 * This machine's loopback. All of 127.0.0.0/8 is there without being set up, so each pod has an address of its own, on
 * which it can listen at the ports that pods listen at; drawn, so that test runs side by side do not meet.
 */
export function loopbackPlace(): NetworkPlace {
  const given = new Set<string>();
  const take = (): string => {
    const address = `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;
    if (given.has(address)) return take();
    given.add(address);
    return address;
  };
  return { host: "127.0.0.1", enter: [], takeAddress: take };
}

import type { VersionName } from "./move.ts";

/** `green 10 %, blue 90 %`; versions without a share are left out. */
export function renderShares(shares: Readonly<Record<VersionName, number>>): string {
  const parts = Object.entries(shares)
    .filter(([, percent]) => percent > 0)
    .map(([name, percent]) => `${name} ${percent} %`);
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

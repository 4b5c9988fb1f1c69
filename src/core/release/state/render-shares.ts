import type { VersionName } from "../move/move.ts";
import type { SetShares } from "./release-state.ts";

type Shares = Readonly<Record<VersionName, number>>;

/** `green 10 %, blue 90 %`; versions without a share are left out. */
export function renderShares(shares: Shares): string {
  const parts = Object.entries(shares).filter(([, percent]) => percent > 0);
  return parts.length === 0 ? "nothing" : renderEveryShare(Object.fromEntries(parts));
}

/** `green 0 %, blue 100 %`: also versions without a share, where two lists are read side by side. */
export function renderEveryShare(shares: Shares): string {
  return Object.entries(shares)
    .map(([name, percent]) => `${name} ${percent} %`)
    .join(", ");
}

/** What somebody has asked for: `green 10 %, blue 90 %`, or `10 %` of the new version alone. */
export function renderSetShares(shares: SetShares): string {
  return typeof shares === "number" ? `${shares} %` : renderEveryShare(shares);
}

/**
 * Tests of shares that may be looked at after every request. A test that is right at one look is wrong sooner or later
 * when it is looked at for long; these hold for all looks of a check together. They rest on Ville's inequality for the
 * mixture of Krichevsky and Trofimov, which costs ln(2 * sqrt(n)) more than the Chernoff bound of a single look.
 */

/** How often a check may be wrong about a version that is just good enough, over all its looks. */
export const wrongInOneOf = 1_000;

interface SeenShare {
  readonly seen: number;
  readonly of: number;
}

/** Whether there are more of these than a version with this share of them would ever show, but once in 1,000 checks. */
export function isBeyondLuck({ seen, of }: SeenShare, allowedShare: number): boolean {
  return of > 0 && seen / of > allowedShare && of * divergence(seen / of, allowedShare) > allLooks(of, wrongInOneOf);
}

/** Kullback-Leibler, of two shares, in nats; a share of more than all is all. */
function divergence(shown: number, allowed: number): number {
  const seen = Math.min(1, shown);
  return term(seen, allowed) + term(1 - seen, 1 - allowed);
}

function term(seen: number, allowed: number): number {
  if (seen <= 0) return 0;
  return allowed <= 0 ? Number.POSITIVE_INFINITY : seen * Math.log(seen / allowed);
}

function allLooks(count: number, oneOf: number): number {
  return Math.log(oneOf) + Math.log(2 * Math.sqrt(count));
}

/**
 * The ranks between which a percentile lies, as shares of all that was measured; undefined where so few say nothing of
 * that side. `oneOf` is how often each side may be wrong.
 */
export function ranksAround(
  percentile: number,
  { of, oneOf, looks }: { readonly of: number; readonly oneOf: number; readonly looks: "one" | "all" },
): { readonly low: number | undefined; readonly high: number | undefined } {
  const share = percentile / 100;
  const width = (looks === "all" ? allLooks(of, oneOf) : Math.log(oneOf)) / of;
  return { low: rankWith(width, share, 0), high: rankWith(width, share, 1) };
}

/** Where the divergence from the share has grown to the width, on the way from the share to this end. */
function rankWith(width: number, share: number, end: 0 | 1): number | undefined {
  if (!(divergence(end, share) >= width)) return undefined;
  let near = share;
  let far: number = end;
  for (let round = 0; round < 50; round += 1) {
    const middle = (near + far) / 2;
    if (divergence(middle, share) < width) near = middle;
    else far = middle;
  }
  return far;
}

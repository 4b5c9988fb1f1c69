import { refine } from "../decode/collections.ts";
import { number } from "../decode/scalars.ts";

/** With at most two decimals, which is what a proxy's weights are counted in. */
export const percent = refine(number, (value) =>
  value >= 0 && value <= 100 && Math.abs(value * 100 - Math.round(value * 100)) < 1e-9
    ? undefined
    : `must be from 0 to 100 with at most two decimals, but is ${value}`,
);

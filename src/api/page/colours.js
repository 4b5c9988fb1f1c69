/**
 * The colour of each version: its own where it is named by one, else the next of a palette that stays apart for most
 * kinds of colour blindness. Every line also has its own dash, so that colour is never the only difference.
 */

/** Light ground first, dark ground second; each has a contrast of at least 3 to its ground. */
const named = {
  blue: ["#1d6fd8", "#5aa2ff"],
  green: ["#12804a", "#3ecf8e"],
  red: ["#c2341d", "#ff7a66"],
  orange: ["#b35900", "#ffa64d"],
  yellow: ["#8a6d00", "#ffd84d"],
  purple: ["#7b3fc4", "#bd93f9"],
  violet: ["#7b3fc4", "#bd93f9"],
  pink: ["#b8327e", "#ff8ac6"],
  black: ["#17202a", "#e8edf2"],
  white: ["#5b6770", "#ffffff"],
  gray: ["#5b6770", "#a3afbb"],
  grey: ["#5b6770", "#a3afbb"],
};

const palette = ["#0b73a8 #56b4e9", "#a85a00 #e69f00", "#007a5a #2fd3a4", "#9b3f7d #e08fc4", "#5c5f00 #d6cf3a"].map(
  (pair) => pair.split(" "),
);

const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2]];

/** @type {[string, string]} */
export const errorColour = ["#b3261e", "#ff5449"];

/**
 * @param {readonly string[]} versions
 * @returns {Map<string, {colour: string, dash: number[]}>}
 */
export function styleVersions(versions, isDark) {
  const names = versions.toSorted();
  let next = 0;
  return new Map(
    names.map((name, index) => {
      const own = colourWord(name);
      const pair = own === undefined ? palette[next++ % palette.length] : named[own];
      return [name, { colour: pair[isDark ? 1 : 0], dash: dashes[index % dashes.length] }];
    }),
  );
}

/** The colour in a name such as `green` or `green-api.sample`. */
function colourWord(name) {
  return name
    .toLowerCase()
    .split(/[^a-z]+/u)
    .find((word) => Object.hasOwn(named, word));
}

import * as fc from "fast-check";

/** Headers whose values a test can compare: those that rules change and that no proxy or client sets by itself. */
export const comparedHeaders = ["x-s", "x-t", "x-v", "x-w", "x-r", "x-q"] as const;

const requestEntries = fc.constantFrom<Record<string, string>>(
  {},
  { "x-s": "1" },
  { "X-S": "2", "x-t": "a b" },
  { "x-v": "set" },
  { "x-t": "50%%", "x-w": "" },
);

const responseEntries = fc.constantFrom<Record<string, string>>(
  {},
  { "x-r": "1" },
  { "X-R": "2", "x-q": "3" },
  { "x-q": "100%%", "x-r": "" },
);

const requestRemovals = fc.constantFrom<string[]>([], [], ["x-v"], ["X-S", "x-w"], ["x-t"]);
const responseRemovals = fc.constantFrom<string[]>([], [], ["x-r"], ["X-Q", "x-r"]);

/** `headers` of a rule or a destination. With `host` the request's Host header may change too. */
export function headerChanges(options: { readonly host: boolean }): fc.Arbitrary<object> {
  const hosts = options.host ? [{}, {}, { host: "set.org" }, { ":authority": "auth.org:81" }] : [{}];
  return fc
    .record({
      host: fc.constantFrom<Record<string, string>>(...hosts),
      set: requestEntries,
      add: requestEntries,
      remove: requestRemovals,
      response: fc.record({ set: responseEntries, add: responseEntries, remove: responseRemovals }),
    })
    .map(({ host, set, add, remove, response }) => ({ request: { set: { ...set, ...host }, add, remove }, response }));
}

/**
 * A YAML document as Kubernetes understands it: aliases resolved, merge keys applied, plain scalars typed as YAML 1.1
 * does. Offsets are places in the text. A value may be shared by several parents (aliases), but never contains itself.
 */
export type YamlValue = YamlScalar | YamlList | YamlMap;

export type YamlScalar =
  | { readonly kind: "string"; readonly value: string; readonly offset: number }
  | { readonly kind: "number"; readonly value: number; readonly source: string; readonly offset: number }
  | { readonly kind: "boolean"; readonly value: boolean; readonly source: string; readonly offset: number }
  | { readonly kind: "null"; readonly offset: number };

interface YamlList {
  readonly kind: "list";
  readonly items: readonly YamlValue[];
  readonly offset: number;
  /** How many values it holds, itself included, with every alias counted in full. */
  readonly size: number;
}

export interface YamlMap {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, YamlEntry>;
  readonly offset: number;
  /** As for a list. */
  readonly size: number;
}

export interface YamlEntry {
  readonly keyOffset: number;
  /** The key as written where YAML 1.1 made a boolean of it: `y` became `true`. */
  readonly booleanSource: string | undefined;
  readonly value: YamlValue;
}

/** Something wrong with the text itself, before any meaning. */
export interface YamlProblem {
  readonly kind: "syntax" | "limit";
  readonly message: string;
  readonly offset: number;
}

export interface YamlDocument {
  /** Undefined when it is empty, or when a problem of kind `syntax` or `limit` made it unreadable. */
  readonly value: YamlValue | undefined;
  readonly problems: readonly YamlProblem[];
}

/** What a value is, without what it says, for places where that may be a key or a password: `a string`, `a list`. */
export function describeType({ kind }: YamlValue): string {
  if (kind === "null") return kind;
  return kind === "map" ? "a mapping" : `a ${kind}`;
}

/** How a value is called in a message: `the number 8080`, `a list`. */
export function describeValue(value: YamlValue): string {
  switch (value.kind) {
    case "string":
      return value.value.length > 60 ? "a string" : `the string ${JSON.stringify(value.value)}`;
    case "number":
      return `the number ${value.source}`;
    case "boolean":
      return value.source === String(value.value)
        ? `the boolean ${value.source}`
        : `the boolean ${value.value} (YAML 1.1 reads ${value.source} so)`;
    case "null":
    case "list":
    case "map":
      return describeType(value);
  }
}

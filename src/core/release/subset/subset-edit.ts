/** A subset as its DestinationRule has it, with all of its fields. */
export interface SubsetDefinition {
  readonly name: string;
  readonly [field: string]: unknown;
}

/**
 * What is done to the subsets of one DestinationRule. Done twice it is as done once; done with both lists changed for
 * each other it is undone, so the removed ones are here with all that they were.
 */
export interface SubsetEdit {
  /** `namespace/name`, with its site in front where a release has several. */
  readonly destinationRule: string;
  /** They are there afterwards, exactly so. */
  readonly add: readonly SubsetDefinition[];
  /** They are not there afterwards. */
  readonly remove: readonly SubsetDefinition[];
  /** Where it removes some, the names of all before it: what is put back goes to the place that it had. */
  readonly order?: readonly string[];
}

/** A DestinationRule that is live. */
export interface LiveDestinationRule {
  /** The full name of the host that it is for, as destinations have it. */
  readonly host: string;
  readonly subsets: readonly SubsetDefinition[];
}

/** Undefined where there is no such DestinationRule; names as in `SubsetEdit`. */
export type FindDestinationRule = (name: string) => LiveDestinationRule | undefined;

/** The edit that undoes this one. */
export function invertEdit({ add, remove, ...rest }: SubsetEdit): SubsetEdit {
  return { ...rest, add: remove, remove: add };
}

/** Whether two definitions say the same; the order of fields says nothing. */
export function isSameSubset(one: SubsetDefinition, other: SubsetDefinition): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`);
  return `{${fields.join(",")}}`;
}

/** `adds subset green (version=green) to DestinationRule shop/web`, for each part of each edit. */
export function describeEdits(edits: readonly SubsetEdit[]): string {
  const parts = edits.flatMap(({ destinationRule, add, remove }) => [
    ...(add.length === 0 ? [] : [`adds ${nameSubsets(add, renderSubset)} to DestinationRule ${destinationRule}`]),
    ...(remove.length === 0
      ? []
      : [`removes ${nameSubsets(remove, ({ name }) => name)} from DestinationRule ${destinationRule}`]),
  ]);
  return parts.length === 0 ? "changes no subset: all of them are there already" : parts.join("; ");
}

/** What undoes them: `removing it`, `restoring it with all of its settings`. */
export function describeUndo(edits: readonly SubsetEdit[]): string {
  const added = edits.reduce((count, { add }) => count + add.length, 0);
  const removed = edits.reduce((count, { remove }) => count + remove.length, 0);
  const words = [
    ...(added === 0 ? [] : [`removing ${added === 1 ? "it" : "them"}`]),
    ...(removed === 0
      ? []
      : [`restoring ${removed === 1 ? "it" : "them"} as ${removed === 1 ? "it was" : "they were"}`]),
  ];
  return words.length === 0 ? "nothing to undo" : `undone by ${words.join(" and ")}`;
}

function nameSubsets(subsets: readonly SubsetDefinition[], render: (subset: SubsetDefinition) => string): string {
  const names = subsets.map(render).join(", ");
  return `${subsets.length === 1 ? "subset" : "subsets"} ${names}`;
}

function renderSubset({ name, labels }: SubsetDefinition): string {
  const pairs = typeof labels === "object" && labels !== null ? Object.entries(labels) : [];
  return pairs.length === 0 ? name : `${name} (${pairs.map(([key, value]) => `${key}=${String(value)}`).join(",")})`;
}

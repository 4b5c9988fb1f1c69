/** What a report says, in order, in plain text: whoever renders it escapes every string of it. */
export type Block =
  | { readonly kind: "heading"; readonly level: 2 | 3; readonly text: string }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "table"; readonly head: readonly Column[]; readonly rows: readonly (readonly string[])[] }
  /** Names and what they stand for. */
  | { readonly kind: "facts"; readonly facts: readonly Fact[] }
  /** The traffic over time; what a reader that cannot draw shows instead follows it. */
  | { readonly kind: "graph" };

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

export type Fact = readonly [name: string, value: string];

export interface Outline {
  readonly title: string;
  readonly blocks: readonly Block[];
}

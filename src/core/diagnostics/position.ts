/** A place in a text that the user wrote. Lines and columns count from 1, as editors do. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Renders `file:line:column`, the form that terminals and editors turn into a link. */
export function renderPosition(at: Position): string {
  return `${at.file}:${at.line}:${at.column}`;
}

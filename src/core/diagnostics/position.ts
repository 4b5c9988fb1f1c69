/** A place in a text that the user wrote. Lines and columns count from 1, as editors do. */
export interface Position {
  /** Of an object that is in no file, `Kind namespace/name`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** In an object of an API server: `spec.http[0]`, empty for the object as a whole; line and column tell nothing then. */
  readonly field?: string;
}

/** Renders `file:line:column`, the form that terminals and editors turn into a link, or an object and its field. */
export function renderPosition(at: Position): string {
  return at.field === undefined ? `${at.file}:${at.line}:${at.column}` : renderField(at.file, at.field);
}

/** A place without its column, as the answers of commands have it. */
export type LinePlace = Omit<Position, "column">;

/** What is on the line, or in the field, of a position. */
export function linePlaceOf({ file, line, field }: LinePlace): LinePlace {
  return field === undefined ? { file, line } : { file, line, field };
}

/** `file:line`, or an object and its field. */
export function renderLine({ file, line, field }: LinePlace): string {
  return field === undefined ? `${file}:${line}` : renderField(file, field);
}

function renderField(object: string, field: string): string {
  return field === "" ? object : `${object} ${field}`;
}

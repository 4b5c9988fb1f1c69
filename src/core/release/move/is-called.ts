import { localName } from "../../routes/site-names.ts";

/**
 * Whether somebody who says this name may mean the object `namespace/name`: they may leave its namespace out, and the
 * cluster in front of it.
 */
export function isCalled(fullName: string, name: string): boolean {
  return fullName === name || localName(fullName) === name || fullName.slice(fullName.indexOf("/") + 1) === name;
}

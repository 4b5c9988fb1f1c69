/** Whether somebody who says this name may mean the object `namespace/name`: they may leave its namespace out. */
export function isCalled(fullName: string, name: string): boolean {
  return fullName === name || fullName.slice(fullName.indexOf("/") + 1) === name;
}

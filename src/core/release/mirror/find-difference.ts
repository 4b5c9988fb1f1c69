/** Members of JSON that do not count, part by part from the top; `*` stands for any one name or index. */
type IgnoredPaths = readonly (readonly string[])[];

/** A member, by what it is in and what it is called there. */
interface Member {
  readonly one: unknown;
  readonly other: unknown;
  /** How many names lead to it. */
  readonly depth: number;
  readonly name: string;
  readonly within: Member | undefined;
}

/** Names in JSON are as long as somebody made them, and this is kept and shown. */
const longestName = 200;

/** Stands for a member that is not there, because null is one that is. */
const absent = Symbol("absent");

/**
 * Finds the first member in which two values of JSON differ, as `a.0.b`; undefined where none does. It walks by a list of
 * its own, because an answer can be nested deeper than calls can.
 */
export function findDifference(one: unknown, other: unknown, ignored: IgnoredPaths): string | undefined {
  const left: Member[] = [{ one, other, depth: 0, name: "", within: undefined }];
  for (let member = left.pop(); member !== undefined; member = left.pop()) {
    if (Object.is(member.one, member.other) || isIgnored(member, ignored)) continue;
    const inner = membersOf(member);
    if (inner === undefined) return nameOf(member);
    // The last of the list is looked at next.
    for (const each of inner.toReversed()) left.push(each);
  }
  return undefined;
}

/** Those of both that are not the same value; undefined where the two cannot be compared member by member. */
function membersOf(within: Member): readonly Member[] | undefined {
  const { one, other } = within;
  if (!isContainer(one) || !isContainer(other) || Array.isArray(one) !== Array.isArray(other)) return undefined;
  const members: Member[] = [];
  for (const name of Object.keys(one)) {
    const [left, right] = [one[name], Object.hasOwn(other, name) ? other[name] : absent];
    if (!Object.is(left, right)) members.push({ one: left, other: right, depth: within.depth + 1, name, within });
  }
  for (const name of Object.keys(other)) {
    if (Object.hasOwn(one, name)) continue;
    members.push({ one: absent, other: other[name], depth: within.depth + 1, name, within });
  }
  return members;
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isIgnored(member: Member, ignored: IgnoredPaths): boolean {
  return ignored.some((pattern) => pattern.length === member.depth && matches(pattern, member));
}

function matches(pattern: readonly string[], member: Member): boolean {
  let at: Member | undefined = member;
  for (const part of pattern.toReversed()) {
    if (part !== "*" && part !== at?.name) return false;
    at = at?.within;
  }
  return true;
}

function nameOf(member: Member): string {
  const names: string[] = [];
  for (let at = member; at.within !== undefined; at = at.within) names.push(at.name);
  const name = names.toReversed().join(".");
  return name.length > longestName ? `${name.slice(0, longestName).toWellFormed()}…` : name;
}

import type { PreviewMatch } from "../../manifest/release.ts";
import type { StringMatch } from "../../manifest/virtual-service.ts";
import type { InputField } from "../field-ledger.ts";
import { readStringMatch } from "../read-string-match.ts";

/** Reads Istio's HTTPMatchRequests as the marks of a preview: headers and query parameters, and nothing else. */
export function readMatches(list: InputField): readonly PreviewMatch[] {
  return list.items().flatMap((match) => {
    const others = match.entries().filter(([name]) => name !== "headers" && name !== "queryParams" && name !== "name");
    match.get("name").leaveOut("it is a name of its own");
    const headers = readConditions(match.get("headers"), (name) => name.toLowerCase());
    const queryParams = readConditions(match.get("queryParams"), (name) => name);
    const isEmpty = Object.keys(headers).length + Object.keys(queryParams).length === 0;
    for (const [name, field] of others) {
      field.note(
        isEmpty
          ? `A preview asks for headers, cookies and query parameters, and not for ${name}; this entry is left out.`
          : `A preview asks for headers, cookies and query parameters, and not for ${name}; requests that differ only there see the new version too.`,
      );
    }
    return isEmpty ? [] : [{ headers, cookies: {}, queryParams }];
  });
}

function readConditions(field: InputField, nameOf: (name: string) => string): Readonly<Record<string, StringMatch>> {
  const conditions = field.entries().flatMap(([name, value]) => {
    const match = readStringMatch(value);
    return match === undefined || name === "" ? [] : [[nameOf(name), match] as const];
  });
  return Object.fromEntries(conditions);
}

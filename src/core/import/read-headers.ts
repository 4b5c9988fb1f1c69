import type { Authentication } from "../manifest/release.ts";
import type { InputField } from "./field-ledger.ts";

interface ReadHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly authentication: Authentication | undefined;
}

/** Names of headers whose values are secrets, whoever wrote them. */
const secretHeader = /^(?:proxy-)?authorization$|cookie|token|secret|password|api-?key|auth/iu;

/**
 * `headers: [{key, value}]` of Argo Rollouts. What may be a secret is never copied: a bearer token becomes the name of a
 * variable, and anything else a note.
 */
export function readHeaders(list: InputField, given: { fill(field: InputField): string | undefined }): ReadHeaders {
  const headers: [string, string][] = [];
  let authentication: Authentication | undefined;
  for (const item of list.items()) {
    const name = item.get("key").text();
    const value = item.get("value");
    if (name === undefined) continue;
    if (/^authorization$/iu.test(name) && value.value.kind === "string" && /^bearer /iu.test(value.value.value)) {
      authentication = { kind: "bearer", token: { kind: "environment", name: "JUDGE_TOKEN" } };
      value.note("No secret is copied: put the token into the variable JUDGE_TOKEN of the environment of `up`.");
    } else if (secretHeader.test(name)) {
      value.note(
        "No secret is copied, and only bearer tokens and passwords have a place of their own, so it is left out.",
      );
    } else {
      const filled = given.fill(value);
      if (filled !== undefined) headers.push([name, filled]);
    }
  }
  return { headers: Object.fromEntries(headers), authentication };
}

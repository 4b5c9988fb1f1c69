import type { InputField } from "./field-ledger.ts";

/** An address that a judge or a notification can have; undefined, with a note, where it is none. */
export function readHttpUrl(field: InputField, text = field.text()): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    field.note("It is no absolute address of http or https, so it cannot be asked; a person is asked instead.");
    return undefined;
  }
  const mayHoldSecret = [...url.searchParams.keys()].some((name) => /token|secret|password|auth|key/iu.test(name));
  if (mayHoldSecret) {
    field.note("Its query may hold a secret, which is not copied, so it cannot be asked; a person is asked instead.");
    return undefined;
  }
  if (url.username === "" && url.password === "") return text;
  field.note(
    "It holds a user's name or a password, which are not copied, so it cannot be asked; a person is asked instead.",
  );
  return undefined;
}

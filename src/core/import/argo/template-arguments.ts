import type { InputField } from "../field-ledger.ts";
import type { InputObject } from "../input-object.ts";

/** The values of `{{args.name}}`, as far as files say them. */
export class TemplateArguments {
  readonly #values: ReadonlyMap<string, string>;
  /** Names of those that come from Secrets. */
  readonly #secrets: ReadonlySet<string>;

  constructor(values: ReadonlyMap<string, string>, secrets: ReadonlySet<string>) {
    this.#values = values;
    this.#secrets = secrets;
  }

  /** These, where the others do not say it better. */
  under(others: TemplateArguments): TemplateArguments {
    return new TemplateArguments(
      new Map([...this.#values, ...others.#values]),
      new Set([...this.#secrets, ...others.#secrets]),
    );
  }

  isSecret(name: string): boolean {
    return this.#secrets.has(name);
  }

  /** The text with its arguments; undefined, with a note, where one is not known. */
  fill(field: InputField): string | undefined {
    const text = field.text();
    if (text === undefined) return undefined;
    const unknown = new Set<string>();
    const filled = text.replaceAll(placeholder, (whole, name: string) => {
      const value = this.#values.get(name);
      if (value === undefined) unknown.add(name);
      return value ?? whole;
    });
    if (unknown.size === 0) return filled;
    field.note(`The value of the argument ${[...unknown].join(", ")} is not in the files, so it cannot be asked.`);
    return undefined;
  }
}

/** `{{args.service-name}}`, with or without blanks. */
const placeholder = /\{\{\s*args\.([\w-]+)\s*\}\}/gu;

/** Reads `args` of a template or of a Rollout; what only a cluster knows stays unknown, with a note. */
export function readArguments(list: InputField, rollout: InputObject): TemplateArguments {
  const values = new Map<string, string>();
  const secrets = new Set<string>();
  for (const item of list.items()) {
    const name = item.get("name").text();
    const value = item.get("value").text();
    const from = item.get("valueFrom");
    if (name === undefined) continue;
    if (value !== undefined) values.set(name, value);
    if (!from.exists) continue;
    if (from.get("secretKeyRef").exists) {
      secrets.add(name);
      from.note(
        "It is read from a Secret of the cluster; name a file or a variable of the environment of `up` instead.",
      );
      continue;
    }
    const found = readFieldReference(from.at("fieldRef", "fieldPath"), rollout);
    if (found !== undefined) values.set(name, found);
    else from.note("Only a cluster knows this value, so what needs it cannot be asked.");
  }
  return new TemplateArguments(values, secrets);
}

/** `metadata.name`, `metadata.namespace` and `metadata.labels['a']` of the Rollout. */
function readFieldReference(field: InputField, { root, namespace }: InputObject): string | undefined {
  const path = field.text();
  if (path === undefined) return undefined;
  const parts = /^metadata\.(name|namespace|labels|annotations)(?:\['([^']+)'\])?$/u.exec(path);
  if (parts === null) return undefined;
  if (parts[1] === "namespace") return namespace;
  const value =
    parts[2] === undefined ? root.at("metadata", parts[1] ?? "") : root.at("metadata", parts[1] ?? "", parts[2]);
  return value?.value.kind === "string" ? value.value.value : undefined;
}

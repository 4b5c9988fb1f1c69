import { buildOpenApi, type ApiOperation, type ApiSchema } from "../../src/api/openapi.ts";
import { escapeCell } from "./markdown.ts";

/** docs/api.md: every route with its parameters, body and answer, from the OpenAPI document. */
export async function renderApiDocs(): Promise<string> {
  const operations = await buildOpenApi();
  return [
    "<!-- Written by `npm run docs` from the API's own schemas. Do not edit. -->",
    "# The local API",
    "",
    "`kirikae up` serves it on 127.0.0.1. The state folder's `api.json` says where (`{url, pid}`), and its `token` file",
    "holds the token, which only its owner can read. Requests carry it as `Authorization: Bearer TOKEN`. The status page",
    "signs in by a link that works once; its cookie can read, and cannot move traffic.",
    "",
    "A request has to name the API by `127.0.0.1:PORT`, `localhost:PORT` or `[::1]:PORT` (else 421), and an `Origin`, where",
    "there is one, has to be its own (else 403). Bodies are JSON of at most 64 kB.",
    "",
    "Every error is `{code, message, hint, details, exitStatus}`: 400 to 415 for a request that is not understood, 401 and",
    "403 without the right, 404 for what does not exist, 409 where the answer is no, 422 for a request that cannot be",
    "carried out as it is, 503 where the environment is in the way. docs/diagnostics.md lists the codes.",
    "",
    ...operations.flatMap(renderOperation),
  ].join("\n");
}

function renderOperation(operation: ApiOperation): readonly string[] {
  const { method, path, summary, description, parameters, body, answer, answerType } = operation;
  return [
    `## ${method.toUpperCase()} ${path}`,
    "",
    ...(summary === undefined ? [] : [summary, ""]),
    ...(description === undefined ? [] : [description, ""]),
    ...(parameters.length === 0 ? [] : ["Parameters:", ""]),
    ...parameters.map(({ name, description }) => `- \`${name}\`${description === undefined ? "" : ` ${description}`}`),
    ...(parameters.length === 0 ? [] : [""]),
    ...(body === undefined ? [] : ["Body:", "", ...renderSchema(body), ""]),
    ...(answer === undefined
      ? [`Answers \`${answerType}\`.`, ""]
      : [`Answers \`${answerType}\`:`, "", ...renderSchema(answer), ""]),
  ];
}

/** A table of all fields, nested ones by their path. */
function renderSchema(schema: ApiSchema): readonly string[] {
  const rows = fieldsOf(schema, "");
  return ["| Field | Type | Meaning |", "|---|---|---|", ...rows];
}

function fieldsOf(schema: ApiSchema, path: string): readonly string[] {
  if (schema.items !== undefined) return fieldsOf(schema.items, `${path}[]`);
  const nested = schema.anyOf?.find((choice) => choice.type !== "null");
  if (nested !== undefined) return fieldsOf(nested, path);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const own = path === "" ? name : `${path}.${name}`;
    const isOptional = schema.required?.includes(name) !== true;
    const row = `| \`${own}\`${isOptional ? " (optional)" : ""} | ${escapeCell(typeOf(field))} | ${escapeCell(field.description ?? "")} |`;
    return [row, ...fieldsOf(field, own)];
  });
}

function typeOf(schema: ApiSchema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  if (schema.items !== undefined) return `array of ${typeOf(schema.items)}`;
  return schema.type ?? "any";
}

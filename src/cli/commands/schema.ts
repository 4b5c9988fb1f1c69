import { createCommand, type Command, type CommandContext } from "../command.ts";

interface SchemaOptions {
  readonly crd?: true;
}

export function schemaCommand(context: CommandContext): Command {
  return createCommand("schema", "the JSON Schema of Release and LocalWorkload, for editors")
    .option("--crd", "instead, the CustomResourceDefinition of Release, for kubectl apply --server-side")
    .action(async (options: SchemaOptions) => {
      context.terminal.answer(options.crd === true ? await renderCrd() : await renderSchema());
      context.finish(0);
    });
}

async function renderSchema(): Promise<string> {
  const { buildSchema } = await import("../../core/manifest/schema/build-schema.ts");
  return JSON.stringify(buildSchema(), undefined, 2);
}

async function renderCrd(): Promise<string> {
  const { buildReleaseCrd } = await import("../../core/manifest/schema/build-crd.ts");
  const { stringify } = await import("yaml");
  return stringify(buildReleaseCrd(), { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd();
}

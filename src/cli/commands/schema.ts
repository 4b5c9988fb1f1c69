import { createCommand, type Command, type CommandContext } from "../command.ts";

export function schemaCommand(context: CommandContext): Command {
  return createCommand("schema", "the JSON Schema of Release and LocalWorkload, for editors").action(async () => {
    const { buildSchema } = await import("../../core/manifest/schema/build-schema.ts");
    context.terminal.answer(JSON.stringify(buildSchema(), undefined, 2));
    context.finish(0);
  });
}

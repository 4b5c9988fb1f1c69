import {
  createCommand,
  jsonOption,
  printAnswer,
  type Command,
  type CommandContext,
  type JsonOption,
} from "../command.ts";

export function doctorCommand(context: CommandContext): Command {
  return createCommand("doctor", "whether this machine has what kirikae needs, and what to do where it has not")
    .option("--envoy <path>", "the Envoy binary that `up` would be given")
    .option(...jsonOption)
    .action(async (options: JsonOption & { readonly envoy?: string }) => {
      const { examine } = await import("../doctor/examine.ts");
      const checks = await examine(context.env, options.envoy);
      const { renderChecks } = await import("../print/doctor.ts");
      const isWell = checks.every((check) => check.verdict !== "fail");
      const data = { ok: isWell, checks };
      printAnswer(context, { exitStatus: isWell ? 0 : 1, data, text: (ink) => renderChecks(checks, ink) }, options);
    });
}

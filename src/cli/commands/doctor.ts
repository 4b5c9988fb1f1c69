import { createCommand, jsonOption, type Command, type CommandContext, type JsonOption } from "../command.ts";

export interface DoctorOptions extends JsonOption {
  readonly envoy?: string;
  readonly namespace?: string;
  readonly rbac?: true;
}

export function doctorCommand(context: CommandContext): Command {
  return createCommand("doctor", "whether this machine, or a cluster, has what kirikae needs, and what to do if not")
    .option("--envoy <path>", "the Envoy binary that `up` would be given")
    .option("-n, --namespace <namespace>", "with --context: whose rights count; all namespaces by default")
    .option("--rbac", "with --context: print the roles that moving traffic needs, as YAML")
    .option(...jsonOption)
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import("./run-doctor.ts");
      await runDoctor(context, options);
    });
}

import { type CommandContext, printAnswer } from "../command.ts";
import type { DoctorCheck } from "../doctor/check.ts";
import { renderChecks } from "../print/doctor.ts";
import { chosenSite } from "../reach-mesh.ts";
import { usageError } from "../usage-error.ts";
import type { DoctorOptions } from "./doctor.ts";

/** Looks at this machine, or at the cluster that --context names. Exit status 1 where something that is needed is missing. */
export async function runDoctor(context: CommandContext, options: DoctorOptions): Promise<void> {
  const site = chosenSite(context);
  const { namespace, rbac, envoy } = options;
  if (site === undefined) {
    if (rbac === true || namespace !== undefined) throw usageError("--rbac and -n go with --context.");
    const { examine } = await import("../doctor/examine.ts");
    return printChecks(context, await examine(context.env, envoy), options);
  }
  if (envoy !== undefined) throw usageError("--envoy is about this machine and does not go with --context.");
  if (rbac === true) {
    const { doctorRbac } = await import("../../app/site/doctor/doctor-site.ts");
    context.terminal.answer(await doctorRbac(site, { namespace }, context.env));
    return context.finish(0);
  }
  const { doctorSite } = await import("../../app/site/doctor/doctor-site.ts");
  printChecks(context, await doctorSite(site, { namespace }, context.env), options);
}

function printChecks(context: CommandContext, checks: readonly DoctorCheck[], options: DoctorOptions): void {
  const isWell = checks.every((check) => check.verdict !== "fail");
  const data = { ok: isWell, checks };
  printAnswer(context, { exitStatus: isWell ? 0 : 1, data, text: (ink) => renderChecks(checks, ink) }, options);
}

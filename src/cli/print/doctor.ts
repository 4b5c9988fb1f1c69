import type { DoctorCheck } from "../doctor/check.ts";
import type { Ink } from "../ink.ts";

export function renderChecks(checks: readonly DoctorCheck[], ink: Ink): string {
  return checks.map((check) => renderCheck(check, ink)).join("\n");
}

function renderCheck(check: DoctorCheck, ink: Ink): string {
  const verdict = { ok: ink.green("ok  "), warn: ink.yellow("warn"), fail: ink.red("fail") }[check.verdict];
  const line = `${verdict}  ${check.name}: ${check.detail}`;
  return check.hint === null ? line : `${line}\n      ${ink.dim("hint:")} ${check.hint}`;
}

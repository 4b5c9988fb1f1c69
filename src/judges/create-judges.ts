import type { JudgeAnswer } from "../core/release/check/check-progress.ts";
import type { AskJudge } from "../engine/ports.ts";
import type { AddressRule } from "../local/limit-addresses.ts";
import { readSecret } from "../local/read-secret.ts";
import { askCommand } from "./ask-command.ts";
import { askHttp } from "./ask-http.ts";
import { askPrometheus } from "./ask-prometheus.ts";

export interface JudgeOptions {
  /** Of the manifests: programs run there, and files with secrets are found from there. */
  readonly folder: string;
  /** Whether whoever may start a release may run programs with the rights of this process. */
  readonly allowsCommands: boolean;
  /** Says which addresses servers may have; absent is all. */
  readonly addresses?: AddressRule | undefined;
}

const notAllowed: JudgeAnswer = {
  verdict: "unknown",
  detail: "this mesh runs no commands of releases; `kirikae up --allow-commands` lets it",
};

/** Creates what asks the judges that are not proxies. */
export function createJudges({ folder, allowsCommands, addresses }: JudgeOptions): AskJudge {
  return async (question, { timeoutMs, signal, values }) => {
    const request = {
      timeoutMs,
      signal,
      addresses,
      readSecret: (source: Parameters<typeof readSecret>[0]) => readSecret(source, { folder }),
    };
    switch (question.kind) {
      case "prometheus":
        return await askPrometheus(question, request);
      case "http":
        return await askHttp(question, request);
      case "command":
        return allowsCommands ? await askCommand(question.command, { folder, values, timeoutMs, signal }) : notAllowed;
    }
  };
}

import { InvalidArgumentError } from "commander";
import { createCommand, jsonOption, type Command, type CommandContext, type JsonOption } from "../command.ts";

export interface CurlOptions extends JsonOption {
  readonly from: string;
  readonly header: readonly string[];
  readonly method?: string;
  readonly data?: string;
  readonly include?: true;
  readonly number?: number;
}

export function curlCommand(context: CommandContext): Command {
  return createCommand("curl", "send a request as a workload of the mesh, through its sidecar where it has one")
    .argument("<url>", "what the workload asks for, http://istio-service/")
    .requiredOption("--from <namespace/workload>", "the workload that sends it")
    .option("-H, --header <header>", "a header, 'name: value'; may be given again", collect, [])
    .option("-X, --method <method>", "the method; GET, or POST with -d")
    .option("-d, --data <data>", "the body")
    .option("-i, --include", "print the status and the headers of the answer too")
    .option("-n, --number <count>", "send it this many times and count the answers", parseCount)
    .option(...jsonOption)
    .action(async (url: string, options: CurlOptions) => {
      const { runCurl } = await import("./run-curl.ts");
      await runCurl(context, url, options);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

const maxCount = 100_000;

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,6}$/u.test(text) && count >= 1 && count <= maxCount) return count;
  throw new InvalidArgumentError(`It is a number of requests, from 1 to ${maxCount}.`);
}

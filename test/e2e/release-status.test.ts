import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { ReleaseSummary, Status } from "../../src/api/types.ts";
import { SampleMesh } from "../crash/sample-mesh.ts";
import { bin, eventually } from "./product.ts";

const release = `
apiVersion: kirikae.dev/v1alpha1
kind: Release
metadata: { name: to-green, namespace: sample-ns }
spec:
  routes: [{ virtualService: sample-app }]
  to: green
  strategy: {steps: [{weight: 10}, {hold: {}}, {switch: {}}]}
`;

/** What a stream has printed so far, by lines. */
function linesOf(stream: Readable): readonly string[] {
  const lines: string[] = [];
  createInterface({ input: stream }).on("line", (line) => lines.push(line));
  return lines;
}

async function seen(lines: readonly string[], wanted: string): Promise<string> {
  return await eventually(wanted, async () => lines.find((line) => line.includes(wanted)));
}

type View = Status & { readonly releases: readonly ReleaseSummary[] };

test("a release is watched over a restart of up to its end, with the weights that the real proxy uses", async () => {
  await using mesh = await SampleMesh.create();
  const { sandbox } = mesh;
  const first = await sandbox.up({ args: mesh.args });
  const file = join(sandbox.root, "release.yaml");
  writeFileSync(file, release);
  await using load = await mesh.load(150);
  const started = await sandbox.cli(["start", file, "--json"]);
  expect(started).toMatchObject({ exitCode: 0, stderr: "" });
  const watch = spawn(process.execPath, [bin, "status", "sample-app", "--watch"], { env: sandbox.environment });
  try {
    const [lines, notes] = [linesOf(watch.stdout), linesOf(watch.stderr)];
    await seen(lines, "sample-ns/to-green is holding, step 2 of 3");
    expect(await seen(lines, "weights of rule 1 (public) of sample-ns/sample-app")).toContain(
      "wanted blue 90 %, green 10 %; observed blue 90 %, green 10 %",
    );
    const figures = await eventually("figures of both versions", async () => {
      const view: View = JSON.parse((await sandbox.cli(["status", "to-green", "--json"])).stdout);
      const versions = view.releases[0]?.live?.versions ?? [];
      return versions.length === 2 && versions.every((each) => each.requestsPerSecond > 0 && each.latency !== null)
        ? view
        : undefined;
    });
    expect(figures.releases).toEqual([expect.not.objectContaining({ plan: expect.anything() })]);
    await load.stop();
    await first.stop();
    await seen(notes, "`kirikae up` has ended; waiting for it to start again.");
    await sandbox.up({ args: mesh.args });
    await seen(notes, "`kirikae up` has started again.");
    expect(await sandbox.cli(["promote", "to-green", "--reason", "good"])).toMatchObject({ exitCode: 0 });
    await seen(lines, "sample-ns/to-green promoted by");
    await seen(lines, "sample-ns/to-green is done");
    const ended = new Promise<number | null>((resolve) => {
      watch.once("close", resolve);
    });
    watch.kill("SIGINT");
    expect(await ended).toBe(130);
    // oxlint-disable-next-line no-control-regex -- what a pipe must never get.
    expect(lines.join("\n")).not.toMatch(/\u001B/u);
  } finally {
    watch.kill("SIGKILL");
  }
});

test("a proxy that stands still is said to be unseen, and nothing waits for it", async () => {
  await using mesh = await SampleMesh.create();
  const { sandbox } = mesh;
  await sandbox.up({ args: mesh.args });
  const file = join(sandbox.root, "release.yaml");
  writeFileSync(file, release);
  await sandbox.cli(["start", file]);
  const status = async (): Promise<string> => (await sandbox.cli(["status", "to-green"])).stdout;
  await eventually("the hold", async () => ((await status()).includes("observed blue 90 %") ? true : undefined));
  const pid = await mesh.envoyPid();
  process.kill(pid, "SIGSTOP");
  try {
    await eventually("what cannot be seen", async () =>
      (await status()).includes("the proxies could not be asked") ? true : undefined,
    );
  } finally {
    process.kill(pid, "SIGCONT");
  }
  const again = await eventually("the proxy again", async () => {
    const text = await status();
    return text.includes("observed blue 90 %") ? text : undefined;
  });
  expect(again).not.toContain("could not be asked");
});

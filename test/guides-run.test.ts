import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));

interface Guide {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Those that need nothing that runs. */
  readonly commands: readonly string[];
}

/** Blocks of YAML that begin with a file's name, and the commands in between. */
async function readGuide(name: string): Promise<Guide> {
  const guide = await readFile(`${root}docs/guide/${name}`, "utf8");
  const files = [...guide.matchAll(/^```yaml\n# ([\w.-]+)\n(.*?)^```/gmsu)].map(([, file = "", body = ""]) => ({
    name: file,
    text: body,
  }));
  const commands = [...guide.matchAll(/^npx kirikae ((?:import|check|plan) .*)$/gmu)].map(
    ([, command = ""]) => command,
  );
  return { files, commands };
}

async function run(command: string, cwd: string) {
  const [words = "", target] = command.replace(/\s+#.*$/u, "").split(" > ");
  const args = words.trim().split(/\s+/u);
  const child = spawn(process.execPath, [`${root}bin/kirikae.js`, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: "1" },
  });
  child.stdin.end();
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (target !== undefined) await writeFile(join(cwd, target), stdout);
  return { stdout, stderr, status };
}

test.each(["from-argo-rollouts.md", "from-flagger.md"])(
  "what %s says runs as it is written",
  async (name) => {
    const folder = await mkdtemp(join(tmpdir(), "kirikae-guide-"));
    try {
      const { files, commands } = await readGuide(name);
      await mkdir(join(folder, "examples"));
      await cp(`${root}examples/blue-green`, join(folder, "examples/blue-green"), { recursive: true });
      for (const file of files) await writeFile(join(folder, file.name), file.text);
      expect(commands.map((command) => command.split(" ")[0])).toEqual(["import", "check", "plan"]);
      for (const command of commands) {
        const { stdout, stderr, status } = await run(command, folder);
        expect([command, status, status === 0 ? "" : stdout + stderr]).toEqual([command, 0, ""]);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  60_000,
);

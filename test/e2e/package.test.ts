import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../..", import.meta.url));
const examples = join("node_modules", "kirikae", "examples", "blue-green");

let folder: string;

/** Packs the build and unpacks it outside the repository, so that it can reach nothing of the checkout. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kirikae-package-"));
  await run("npm", ["run", "build"], { cwd: repository, env: environment() });
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: repository, env: environment() });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
  await mkdir(join(folder, "state"), { mode: 0o700 });
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--prefix", folder, join(folder, tarball)];
  await run("npm", install, { cwd: folder, env: environment() });
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

/** The Node that runs the tests comes first on PATH, as that of a user who installs the package. */
function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter),
    KIRIKAE_STATE: join(folder, "state"),
    NO_COLOR: "1",
  };
}

function kirikae(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return run(join(folder, "node_modules", ".bin", "kirikae"), args, { cwd: folder, env: environment() });
}

test("the installed package answers, checks and explains", async () => {
  expect((await kirikae("--help")).stdout).toContain("kirikae");
  expect(JSON.parse((await kirikae("check", examples, "--json")).stdout)).toEqual([]);
  const { stdout } = await kirikae("explain", examples, "--url", "http://sample.hoge.com/", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "route", virtualService: "sample-ns/sample-app" });
});

test("the installed package runs a mesh and serves the page with its assets", async () => {
  const args = ["up", examples, "--json", "--gateway-port", `80=${20_000 + (process.pid % 10_000)}`];
  const up = execFile(join(folder, "node_modules", ".bin", "kirikae"), args, { cwd: folder, env: environment() });
  const ended = new Promise<number | null>((resolve) => up.once("exit", resolve));
  try {
    const ready = await new Promise<{ pageUrl: string; api: string }>((resolve, reject) => {
      let text = "";
      up.stdout?.on("data", (chunk: string) => {
        text += chunk;
        if (text.includes("\n")) resolve(JSON.parse(text.split("\n")[0] ?? ""));
      });
      void ended.then((status) => reject(new Error(`up ended with ${status} before it was ready`)));
    });
    const signIn = await fetch(ready.pageUrl, { redirect: "manual" });
    const cookie = signIn.headers.getSetCookie().map((each) => each.split(";")[0]);
    const headers = { cookie: cookie.join("; ") };
    const answers = ["/", "/assets/page.js", "/assets/uplot.js", "/assets/uplot.css"].map((path) =>
      fetch(new URL(path, ready.api), { headers }),
    );
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  } finally {
    up.kill("SIGINT");
  }
  expect(await ended).toBe(0);
});

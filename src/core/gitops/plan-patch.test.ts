import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { compareServices } from "./compare-services.ts";
import { readGitServices } from "./git-services.ts";
import { readLiveServices } from "./live-services.ts";
import { type GitPatch, planPatch } from "./plan-patch.ts";
import { readObjects } from "./read-objects.ts";

const folder = fileURLToPath(new URL("../../../testdata/gitops/", import.meta.url));
const cases = readdirSync(folder)
  .filter((file) => file.endsWith(".git.yaml"))
  .map((file) => file.slice(0, -".git.yaml".length));

function patchOf(git: string, live: string): GitPatch {
  return planPatch({
    sources: [{ path: "git/web.yaml", text: git }],
    live: readLiveServices(readObjects([{ path: "live.yaml", text: live }])),
    defaultNamespace: "shop",
    relative: (path) => path,
  });
}

function read(name: string): string {
  return readFileSync(`${folder}${name}`, "utf8");
}

describe.each(cases)("%s", (name) => {
  const git = read(`${name}.git.yaml`);
  const live = read(`${name}.live.yaml`);

  test("gets the patch of its golden file", async () => {
    const { files, left } = patchOf(git, live);
    const shown = [...files.map(({ patch }) => patch), ...left.map(({ why }) => `# left: ${why}\n`)].join("");
    await expect(shown).toMatchFileSnapshot(`${folder}${name}.patch`);
  });

  test("says what is live afterwards, and needs no second patch", () => {
    const { files, left } = patchOf(git, live);
    for (const { text } of files) {
      const again = patchOf(text, live);
      expect(again.files).toEqual([]);
      expect(again.left).toEqual(left);
    }
  });

  test("is the same with other line ends, and without the last one", () => {
    const { files, left } = patchOf(git, live);
    const windows = patchOf(git.replaceAll("\n", "\r\n"), live);
    expect(windows.left).toEqual(left);
    expect(windows.files.map(({ text }) => text)).toEqual(files.map(({ text }) => text.replaceAll("\n", "\r\n")));
    const open = patchOf(git.trimEnd(), live);
    expect(open.files.map(({ text }) => text.trimEnd())).toEqual(files.map(({ text }) => text.trimEnd()));
  });
});

const rule = (weights: string): string => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web.example.com]
  http:
    - name: rest
      route:
${weights}`;
const entry = (subset: string, weight: number): string =>
  `        - {destination: {host: web, subset: ${subset}}, weight: ${weight}}\n`;

function diff(git: string, live: string) {
  const services = readGitServices([{ path: "git/web.yaml", text: git }], "shop");
  return compareServices(services, readLiveServices(readObjects([{ path: "live.yaml", text: live }])));
}

describe("what git would undo", () => {
  test("is nothing where shares are the same, whatever their sum", () => {
    const fifty = entry("blue", 50) + entry("green", 50);
    expect(diff(rule(entry("blue", 1) + entry("green", 1)), rule(fifty)).services).toEqual([]);
    expect(diff(rule(entry("blue", 7)), rule(entry("blue", 100) + entry("green", 0))).services).toEqual([]);
  });

  test("is each rule with other shares", () => {
    expect(diff(rule(entry("blue", 100)), rule(entry("blue", 25) + entry("green", 75))).services).toMatchObject([
      {
        service: "shop/web",
        file: "git/web.yaml",
        rules: [
          {
            rule: "rest",
            git: [{ to: "web/blue", percent: 100 }],
            live: [
              { to: "web/blue", percent: 25 },
              { to: "web/green", percent: 75 },
            ],
          },
        ],
      },
    ]);
  });

  test("calls a rule without a name by its place", () => {
    const [git = "", live = ""] = ["blue", "green"].map((subset) =>
      rule(entry(subset, 1)).replace("    - name: rest\n      route", "    - route"),
    );
    const [service] = diff(git, live).services;
    expect(service?.rules.map((each) => each.rule)).toEqual(["0"]);
  });

  test("tells rules of one side alone from rules with other weights", () => {
    const other = rule(entry("blue", 1)).replace("name: rest", "name: other");
    expect(diff(rule(entry("blue", 1)), other).services).toMatchObject([
      { rules: [], onlyInGit: ["rest"], onlyLive: ["other"] },
    ]);
  });

  test("says what is not in the cluster, and what cannot be read", () => {
    expect(diff(rule(entry("blue", 1)), "")).toMatchObject({ services: [], absent: ["shop/web"] });
    expect(diff("kind: VirtualService\nname: {{ .Values.name }}\n", "").skipped).toMatchObject([
      { file: "git/web.yaml", why: expect.stringContaining("template") },
    ]);
    expect(diff("kind: VirtualService\n  odd: [", "").skipped).toMatchObject([
      { file: "git/web.yaml", why: expect.stringContaining("not YAML") },
    ]);
  });

  test("leaves out what a kustomization changes, and reads what it does not", () => {
    const git = { path: "git/web.yaml", text: rule(entry("blue", 1)) };
    const beside = (text: string) =>
      readGitServices([{ path: "git/kustomization.yaml", text }, git], "shop").skipped.map(({ why }) => why);
    expect(beside("resources: [web.yaml]\n")).toEqual([]);
    expect(beside("resources: [web.yaml]\nnamespace: prod\n")).toEqual([
      "the kustomization.yaml beside it changes what it holds (namespace)",
    ]);
  });
});

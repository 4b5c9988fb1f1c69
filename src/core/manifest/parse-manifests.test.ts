import * as fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { buildMesh } from "../mesh/build-mesh.ts";
import { checkMesh } from "../mesh/check-mesh.ts";
import { type ParsedManifests, parseManifests } from "./parse-manifests.ts";
import { yamlLimits } from "./yaml/read-yaml.ts";

function parse(text: string): ParsedManifests {
  return parseManifests([{ path: "input.yaml", text }], { defaultNamespace: "default" });
}

function codes(text: string): readonly string[] {
  return parse(text).diagnostics.map((finding) => finding.code);
}

const service = (name: string): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 80}]}\n`;

describe("the three API versions read alike", () => {
  test.each(["v1", "v1beta1", "v1alpha3"])("networking.istio.io/%s", (version) => {
    const { manifests, diagnostics } = parse(`
apiVersion: networking.istio.io/${version}
kind: VirtualService
metadata: {name: app, creationTimestamp: 2020-01-01T00:00:00Z}
spec:
  hosts: [app.example.com]
  gateways: [gw]
  http:
    - name: split
      match:
        - name: canary
          uri: {prefix: /}
          headers: {x-version: {exact: green}, x-any: {}, x-star: {regex: "*"}}
          queryParams: {v: {exact: "2"}}
      route:
        - {destination: {host: app, subset: blue, port: {number: 80}}, weight: 90}
        - {destination: {host: app, subset: green}, weight: 10, headers: {response: {add: {x-arm: green}}}}
      timeout: 1m30s
      retries: {attempts: 3, perTryTimeout: 0.5s, retryOn: "5xx,503"}
      mirror: {host: shadow}
      mirrorPercentage: {value: 12.5}
    - redirect: {uri: /x, redirectCode: 308, derivePort: FROM_REQUEST_PORT}
    - directResponse: {status: 418, body: {string: tea}}
`);
    // Istio's webhook refuses the regex "*", and istiod takes it for any value.
    expect(diagnostics.map(({ code }) => code)).toEqual(["KIR1340"]);
    expect(manifests).toHaveLength(1);
    const [manifest] = manifests;
    if (manifest?.kind !== "VirtualService") {
      throw new Error("The VirtualService was not read.");
    }
    expect(manifest.metadata.creationTimestamp).toBe("2020-01-01T00:00:00Z");
    const [split, redirect, direct] = manifest.spec.http;
    expect(split?.timeoutMs).toBe(90_000);
    expect(split?.retries?.perTryTimeoutMs).toBe(500);
    expect(split?.mirrors[0]?.percent).toBe(12.5);
    expect(split?.match[0]?.headers).toEqual({
      "x-version": { kind: "exact", value: "green" },
      "x-any": { kind: "present" },
      "x-star": { kind: "present" },
    });
    expect(split?.match[0]?.at).toEqual({ file: "input.yaml", line: 11, column: 11 });
    expect(redirect?.action).toMatchObject({ kind: "redirect", status: 308, port: "fromRequestPort" });
    expect(direct?.action).toMatchObject({
      kind: "directResponse",
      status: 418,
      body: new TextEncoder().encode("tea"),
    });
  });
});

describe("YAML as Kubernetes reads it", () => {
  test("JSON, tabs, a byte order mark and Windows line ends", () => {
    const object = { apiVersion: "v1", kind: "Service", metadata: { name: "a" }, spec: { ports: [{ port: 80 }] } };
    expect(parse(JSON.stringify(object)).manifests).toHaveLength(1);
    expect(parse(JSON.stringify(object, null, "\t")).manifests).toHaveLength(1);
    expect(parse(`\uFEFF${service("a").replaceAll("\n", "\r\n")}`).diagnostics).toEqual([]);
  });

  test("documents, comments and nothing at all", () => {
    expect(parse("").diagnostics).toEqual([]);
    expect(parse("# only a comment\n---\n---\n...\n").diagnostics).toEqual([]);
    expect(parse(`${service("a")}---\n# nothing\n---\n${service("b")}`).manifests).toHaveLength(2);
  });

  test("a broken document does not hide the others", () => {
    const { manifests, diagnostics } = parse(`${service("a")}---\na: [1\n---\n${service("b")}`);
    expect(manifests.map((manifest) => manifest.metadata.name)).toEqual(["a", "b"]);
    expect(diagnostics.map((finding) => [finding.code, finding.at?.line])).toEqual([["KIR1001", 7]]);
  });

  test("anchors, aliases and merge keys", () => {
    const { manifests, diagnostics } = parse(`
apiVersion: kirikae.dev/v1alpha1
kind: LocalWorkload
metadata: {name: a, labels: &labels {app: a, version: blue}}
spec:
  labels: {<<: *labels, version: green}
  addresses: [127.0.0.1:80]
`);
    expect(diagnostics).toEqual([]);
    expect(manifests[0]).toMatchObject({ spec: { labels: { app: "a", version: "green" } } });
  });

  test("keys that JavaScript objects treat specially are keys like any other", () => {
    const { manifests, diagnostics } = parse(
      "apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: {__proto__: x, constructor: z}}\nspec: {ports: [{port: 80}]}",
    );
    expect(diagnostics).toEqual([]);
    expect(Object.entries(manifests[0]?.metadata.labels ?? {})).toEqual([
      ["__proto__", "x"],
      ["constructor", "z"],
    ]);
    expect(
      codes("apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {__proto__: 1}"),
    ).toEqual(["KIR1010", "KIR1004"]);
  });
});

describe("reading is bounded", () => {
  test("10,000 errors become a hundred and a count", () => {
    const text = `a:\n${Array.from({ length: 10_000 }, (_, index) => `  k${index}: "x" y`).join("\n")}`;
    const { diagnostics } = parse(text);
    expect(diagnostics).toHaveLength(101);
    expect(diagnostics.at(-1)).toMatchObject({ code: "KIR1011", message: "There are 9900 more errors in input.yaml." });
  });

  test("10,000 wrong documents too", () => {
    const { diagnostics } = parse(Array.from({ length: 10_000 }, () => "a: [").join("\n---\n"));
    expect(diagnostics).toHaveLength(101);
  });

  test("100,000 unknown fields too", () => {
    const fields = Array.from({ length: 100_000 }, (_, index) => `  fieldNumber${index}: 1`).join("\n");
    const { diagnostics } = parse(
      `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a}\nspec:\n${fields}`,
    );
    expect(diagnostics).toHaveLength(101);
  });

  test.each([
    ["a file too long", () => "#".repeat(yamlLimits.fileLength + 1)],
    ["a document too long", () => `a: ${"x".repeat(100)}\n`.repeat(100_000)],
    ["a document of too many tokens", () => `a: [${",".repeat(yamlLimits.documentTokens)}]`],
    ["comments without end", () => "# x\n".repeat(yamlLimits.documentTokens)],
    ["deep flow sequences", () => "[".repeat(100_000)],
    ["deep flow mappings", () => "{a: ".repeat(100_000)],
    ["deep block sequences", () => "- ".repeat(100_000)],
    ["deep block mappings", () => Array.from({ length: 2000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
    ["an alias to itself", () => "a: &a [*a]"],
    ["an alias bomb", aliasBomb],
  ])(
    "%s",
    (_, build) => {
      expect(codes(build())).toContain("KIR1002");
    },
    // The longest are 12 MB, which is seconds of work for a machine that has other things to do.
    60_000,
  );

  test("a collection at the limit of depth is still read", () => {
    const value = `${"[".repeat(90)}${"]".repeat(90)}`;
    expect(codes(`apiVersion: v1\nkind: Other\nmetadata: {name: a}\ndata: ${value}`)).toEqual(["KIR1009"]);
  });
});

/** Ten levels of ten: a billion values if it were expanded. */
function aliasBomb(): string {
  const names = "abcdefghij".split("");
  const lines = names.map((name, index) => {
    const item = index === 0 ? "x" : `*${names[index - 1]}`;
    return `${name}: &${name} [${Array.from({ length: 10 }, () => item).join(", ")}]`;
  });
  return lines.join("\n");
}

/** Runs everything that reads input; complaints must be sentences, and must not be without end. */
function readAll(text: string): boolean {
  const parsed = parse(text);
  const built = buildMesh(parsed.manifests);
  const findings: readonly Diagnostic[] = [...parsed.diagnostics, ...built.diagnostics, ...checkMesh(built.mesh)];
  return parsed.diagnostics.length <= 303 && findings.every((finding) => finding.message.endsWith("."));
}

/** What fast-check says about the first text that breaks a promise; undefined when none does. */
function findCounterexample(texts: fc.Arbitrary<string>, numRuns: number): string | undefined {
  const outcome = fc.check(fc.property(texts, readAll), { numRuns });
  return outcome.failed ? fc.defaultReportMessage(outcome) : undefined;
}

describe("no text makes it throw", () => {
  test("on random text", () => {
    expect(findCounterexample(fc.string({ maxLength: 300, unit: "binary" }), 300)).toBeUndefined();
  });

  test("on random YAML-like text", () => {
    const pieces = [
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "  ",
      "? ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&a ",
      "*a",
      "<<: ",
      "|",
      ">",
      "'",
      '"',
    ];
    const more = [
      "---\n",
      "...\n",
      "%YAML 1.1\n",
      "!!binary ",
      "!x ",
      "#",
      "\t",
      "\r",
      "0x1",
      "~",
      "y",
      "\u0000",
      "-1",
    ];
    const text = fc.array(fc.constantFrom(...pieces, ...more), { maxLength: 80 }).map((parts) => parts.join(""));
    expect(findCounterexample(text, 2000)).toBeUndefined();
  });

  test("on random objects of every kind", () => {
    const kinds = ["Gateway", "VirtualService", "DestinationRule", "ServiceEntry", "WorkloadEntry"];
    const head = fc.constantFrom(
      ...kinds.map((kind) => ({ apiVersion: "networking.istio.io/v1", kind })),
      { apiVersion: "v1", kind: "Service" },
      { apiVersion: "apps/v1", kind: "Deployment" },
      { apiVersion: "kirikae.dev/v1alpha1", kind: "LocalWorkload" },
      { apiVersion: "v1", kind: "List" },
    );
    const object = fc.tuple(head, fc.jsonValue(), fc.jsonValue(), fc.jsonValue());
    const text = object.map(([type, metadata, spec, items]) => JSON.stringify({ ...type, metadata, spec, items }));
    expect(findCounterexample(text, 500)).toBeUndefined();
  });

  test("on valid manifests with something torn out or put in", () => {
    const folder = new URL("../../../testdata/manifests/", import.meta.url);
    const texts = readdirSync(folder)
      .filter((name) => name.endsWith(".in.yaml"))
      .map((name) => readFileSync(new URL(name, folder), "utf8"));
    const edit = fc.record({
      text: fc.constantFrom(...texts),
      from: fc.nat(5000),
      length: fc.nat(40),
      insert: fc.oneof(
        fc.constantFrom("null", "[]", "{}", "*", "-1", ": ", "\n", "&x ", "*x", "'", "1e9"),
        fc.string(),
      ),
    });
    const edited = edit.map(({ text, from, length, insert }) => {
      const at = from % text.length;
      return text.slice(0, at) + insert + text.slice(at + length);
    });
    expect(findCounterexample(edited, 300)).toBeUndefined();
  });
});

test("a lone carriage return ends a line", () => {
  const text = ["# a comment", "apiVersion: v1", "kind: Service", "metadata: {name: app}", "spec: {ports: 1}"].join(
    "\r",
  );
  const { diagnostics } = parseManifests([{ path: "old.yaml", text }], { defaultNamespace: "default" });
  expect(diagnostics).toMatchObject([{ code: "KIR1005", at: { line: 5 } }]);
});

import { expect, test } from "vitest";
import { FakeBackend } from "../../../test/api/fake-backend.ts";
import type { UpEvent } from "../../app-types.ts";
import { diagnostic } from "../../core/diagnostics/diagnostic.ts";
import { plainInk } from "../ink.ts";
import type { Terminal } from "../terminal.ts";
import { createUpPrinter } from "./up.ts";

const { gateways, services, callers } = new FakeBackend().status();
const ready = {
  kind: "ready" as const,
  api: "http://127.0.0.1:4000",
  pageUrl: "http://127.0.0.1:4000/?key=k",
  gateways,
  services,
  callers,
  callToTry: undefined,
} satisfies UpEvent;
const finding = diagnostic("KIR1004", { message: "No such field.", at: { file: "/no/file.yaml", line: 2, column: 3 } });

function record(form: "text" | "json", events: readonly UpEvent[]) {
  const answers: string[] = [];
  const notes: string[] = [];
  const terminal: Terminal = {
    ink: plainInk,
    noteInk: plainInk,
    isInteractive: false,
    closed: new AbortController().signal,
    columns: 80,
    answer: (text) => void answers.push(text),
    note: (text) => void notes.push(text),
    redraw: (text) => void answers.push(text),
  };
  const print = createUpPrinter(terminal, form);
  for (const event of events) print(event);
  return { answers, notes };
}

test("for people: where the gateways are, a request to copy, the page, and the next command", async () => {
  const { answers, notes } = record("text", [{ kind: "progress", message: "starting" }, ready]);
  expect(notes).toEqual(["starting"]);
  await expect(`${answers.join("\n")}\n`).toMatchFileSnapshot("../testdata/up-ready.txt");
});

test("for scripts: the first line is ready, whatever came before", () => {
  const events: UpEvent[] = [
    { kind: "progress", message: "starting" },
    { kind: "diagnostics", diagnostics: [finding] },
    ready,
    { kind: "manifestsRefused", reason: "1 error.", diagnostics: [finding] },
  ];
  const { answers, notes } = record("json", events);
  const [first, second] = answers.map((line) => JSON.parse(line));
  expect(Object.keys(first).slice(0, 3)).toEqual(["event", "api", "gateways"]);
  expect(first).toMatchObject({ event: "ready", api: "http://127.0.0.1:4000" });
  expect(Object.keys(first.gateways[0]).slice(0, 3)).toEqual(["gateway", "server", "address"]);
  expect(second).toMatchObject({ event: "manifestsRefused", diagnostics: [{ code: "KIR1004" }] });
  expect(notes).toEqual(["starting", "/no/file.yaml:2:3 error KIR1004 IST0106 No such field."]);
});

test("thousands of findings do not fill the terminal", () => {
  const diagnostics = Array.from({ length: 1000 }, () => finding);
  const { notes } = record("text", [{ kind: "manifestsRefused", reason: "1000 errors.", diagnostics }]);
  expect(notes[0]?.split("\n")).toHaveLength(32);
  expect(notes[0]).toContain("970 more");
});

test("a wildcard host and a missing one still give a request that can be copied", () => {
  const [gateway] = gateways;
  if (gateway === undefined) throw new Error("the fake has a gateway");
  const curls = [["*.example.com"], ["*"], ["ns/a.example.com"], []].map((hosts) => {
    const { answers } = record("text", [{ ...ready, gateways: [{ ...gateway, hosts }] }]);
    return answers[0]
      ?.split("\n")
      .find((line) => line.includes("curl"))
      ?.trim();
  });
  expect(curls).toEqual([
    "curl -H 'Host: any.example.com' http://127.0.0.1:8080/",
    "curl http://127.0.0.1:8080/",
    "curl -H 'Host: a.example.com' http://127.0.0.1:8080/",
    "curl http://127.0.0.1:8080/",
  ]);
});

test("a request to copy names a host that some rule takes", () => {
  const [gateway] = gateways;
  if (gateway === undefined) throw new Error("the fake has a gateway");
  const wide = { ...gateway, hosts: ["*"], routedHost: "shop.test" };
  expect(record("text", [{ ...ready, gateways: [wide] }]).answers[0]).toContain("curl -H 'Host: shop.test' http://");
});

test("notes and reasons from elsewhere read as sentences", () => {
  const { notes } = record("text", [
    { kind: "manifestsRefused", reason: "2 errors in the manifests", diagnostics: [] },
    { kind: "manifestsApplied", summary: "1 virtual host live; a rule is no longer there.; so be it", diagnostics: [] },
  ]);
  expect(notes).toEqual([
    "refused 2 errors in the manifests. What ran before still runs.",
    "applied 1 virtual host live; a rule is no longer there; so be it",
  ]);
});

test("without a gateway: who sends inside the mesh, and a request to copy", () => {
  const callToTry = { from: "sample-ns/nginx-blue", url: "http://nginx:8080/" };
  const { answers } = record("text", [{ ...ready, gateways: [], callToTry }]);
  const lines = answers[0]?.split("\n") ?? [];
  expect(lines.slice(lines.indexOf("Callers inside the mesh"), lines.indexOf("Callers inside the mesh") + 4)).toEqual([
    "Callers inside the mesh",
    "  sample-ns/nginx-blue  sends through http://127.0.0.1:20001",
    "  sample-ns/nginx-green  sends through http://127.0.0.1:20002",
    "    npx kirikae curl --from sample-ns/nginx-blue http://nginx:8080/",
  ]);
  expect(lines).not.toContain("Gateways");
});

test("no switch is proposed that would be refused: rules that lead to different services share no versions", () => {
  const [service] = services;
  if (service === undefined) throw new Error("the fake has a service");
  const mixed = {
    ...service,
    rules: [...service.rules, { rule: 2, name: undefined, role: "public" as const, weights: { other: 100 } }],
  };
  expect(record("text", [{ ...ready, services: [mixed] }]).answers[0]).not.toContain("npx kirikae switch");
  expect(record("text", [{ ...ready, services: [mixed, service] }]).answers[0]).toContain("npx kirikae switch");
});

test("a request to a server that refuses clients without a certificate names one", () => {
  const [gateway] = gateways;
  if (gateway === undefined) throw new Error("the fake has a gateway");
  const mutual = { ...gateway, protocol: "https" as const, asksForCertificate: true as const };
  const { answers } = record("text", [{ ...ready, gateways: [mutual] }]);
  expect(answers[0]).toContain("curl --insecure --cert CLIENT.crt --key CLIENT.key --resolve sample.hoge.com:8080");
});

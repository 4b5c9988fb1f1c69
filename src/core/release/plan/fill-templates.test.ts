import { expect, test } from "vitest";
import { fillTemplates, type TemplateValues } from "./fill-templates.ts";

const values: TemplateValues = {
  release: "shop/to-green",
  namespace: "shop",
  name: "to-green",
  to: "green",
  from: "blue",
  service: "app",
  host: "app.shop.svc.cluster.local",
  duration: "300s",
};

const rest = { headers: { "x-version": "{{to}}" }, authentication: undefined } as const;
const success = { operator: "<", value: 1 } as const;

test("a query is filled as it is, an address so that a name stays one part of it", () => {
  const query = 'rate(x{version="{{ to }}"}[{{duration}}]) {{unknown}}';
  expect(
    fillTemplates(
      { kind: "prometheus", address: "http://p/{{namespace}}", query, range: undefined, success, ...rest },
      values,
    ),
  ).toMatchObject({
    address: "http://p/shop",
    query: 'rate(x{version="green"}[300s]) {{unknown}}',
    headers: { "x-version": "green" },
  });
  const http = { ...rest, method: "POST", body: '{"release":"{{release}}"}', value: undefined } as const;
  expect(fillTemplates({ kind: "http", url: "http://h/{{release}}", ...http }, values)).toMatchObject({
    url: "http://h/shop%2Fto-green",
    body: '{"release":"shop/to-green"}',
  });
});

test("each argument of a command is filled, and stays one argument", () => {
  expect(fillTemplates({ kind: "command", command: ["x", "--from={{from}} to {{to}}"] }, values)).toEqual({
    kind: "command",
    command: ["x", "--from=blue to green"],
  });
});

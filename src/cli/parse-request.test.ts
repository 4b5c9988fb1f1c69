import { expect, test } from "vitest";
import { parseRequest } from "./parse-request.ts";

const parse = (url: string, header: readonly string[] = [], method = "GET") => parseRequest({ url, header, method });

test.each([
  ["http://a.example.com", 80, "a.example.com", "/"],
  ["https://a.example.com/x", 443, "a.example.com", "/x"],
  ["http://a.example.com:8080/x?y=1#z", 8080, "a.example.com:8080", "/x?y=1"],
  ["http://a.example.com:80/", 80, "a.example.com:80", "/"],
  ["http://a.example.com?x=1", 80, "a.example.com", "/?x=1"],
  ["http://a/b/../c/%2e%2e//d", 80, "a", "/b/../c/%2e%2e//d"],
  ["http://[::1]:81/", 81, "[::1]:81", "/"],
  ["HTTP://A.Example.com/", 80, "A.Example.com", "/"],
])("%s", (url, ...[port, authority, target]) => {
  expect(parse(url)).toMatchObject({ port, authority, target });
});

test.each(["", "a.example.com", "/x", "http://", "http:///x", "http://a b/", "http://u@a/", "http://a:0/", "ws://a/"])(
  "%j is refused",
  (url) => {
    expect(() => parse(url)).toThrow(expect.objectContaining({ code: "KIR5057", exitStatus: 2 }));
  },
);

test("a Host header takes the place of the URL's host, and values keep their colons", () => {
  const request = parse("http://127.0.0.1:8080/", [
    "host: sample.hoge.com",
    "X-Version:green",
    "x-time: 10:30 ",
    "x-empty:",
  ]);
  expect(request).toMatchObject({ port: 8080, authority: "sample.hoge.com" });
  expect(request.headers).toEqual([
    ["X-Version", "green"],
    ["x-time", "10:30"],
    ["x-empty", ""],
  ]);
});

test.each(["x", ": a", "a b: c", "a: b\r\nc: d"])("header %j is refused", (header) => {
  expect(() => parse("http://a/", [header])).toThrow(expect.objectContaining({ code: "KIR5057" }));
});

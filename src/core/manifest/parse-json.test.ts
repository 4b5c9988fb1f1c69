import { describe, expect, it } from "vitest";
import { parseJson } from "./parse-json.ts";

describe("parseJson", () => {
  it("gives what the text says, whatever it is", () => {
    expect(parseJson('{"url":"http://127.0.0.1:1"}')).toEqual({ url: "http://127.0.0.1:1" });
    expect(parseJson("null")).toBeNull();
  });

  it.each(["", "{", '{"pid":1}x', "no JSON"])("gives undefined for %j", (text) => {
    expect(parseJson(text)).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import type { AnswerComparison } from "../../manifest/release.ts";
import { compareAnswers, type ComparedAnswer } from "./compare-answers.ts";

const everything: AnswerComparison = { headers: ["location"], body: true, ignoredFields: [] };

function answer(body: string, more: Partial<ComparedAnswer> = {}): ComparedAnswer {
  return { status: 200, headers: { "content-type": "application/json" }, bodyHash: body, body, ...more };
}

function compareJson(live: unknown, fresh: unknown, ignoredFields: readonly string[] = []) {
  return compareAnswers(answer(JSON.stringify(live)), answer(JSON.stringify(fresh)), { ...everything, ignoredFields });
}

function nested(text: string): ComparedAnswer {
  return answer(`${"[".repeat(200_000)}${text}${"]".repeat(200_000)}`);
}

function bodyAt(field: string | null) {
  return { kind: "different", differences: [{ kind: "body", field }] };
}

describe("compareAnswers", () => {
  it("compares the status always, and nothing that is not named", () => {
    const nothing = { headers: [], body: false, ignoredFields: [] };
    const one = answer("1", { headers: { location: "/a" } });
    expect(compareAnswers(one, answer("2", { headers: { location: "/b" } }), nothing)).toEqual({ kind: "same" });
    expect(compareAnswers(one, answer("1", { status: 404 }), nothing)).toEqual({
      kind: "different",
      differences: [{ kind: "status" }],
    });
  });

  it("names the headers that differ and never quotes them", () => {
    const live = answer("1", { headers: { location: "/secret" } });
    const result = compareAnswers(live, answer("1", { headers: {} }), everything);
    expect(result).toEqual({ kind: "different", differences: [{ kind: "header", name: "location" }] });
  });

  it("compares JSON by what it says", () => {
    const live = answer('{"a":1, "b":[1,2]}');
    expect(compareAnswers(live, answer('{"b":[1,2],"a":1}'), everything)).toEqual({ kind: "same" });
    expect(compareJson({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).toEqual(bodyAt("a.1.b"));
    expect(compareJson({ a: 1 }, { a: 1, b: null })).toEqual(bodyAt("b"));
    expect(compareJson([1, 2], [1, 2, 3])).toEqual(bodyAt("2"));
    expect(compareJson({ a: [] }, { a: {} })).toEqual(bodyAt("a"));
    expect(compareJson({ a: null }, { a: 0 })).toEqual(bodyAt("a"));
  });

  it("leaves ignored members out, with all that is in them and wherever a star stands", () => {
    expect(compareJson({ at: 1, a: 2 }, { a: 2 }, ["at"])).toEqual({ kind: "same" });
    expect(compareJson({ a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 3 }, { b: 4 }] }, ["a.*.b"])).toEqual({ kind: "same" });
    expect(compareJson({ a: { x: 1 } }, { a: 2 }, ["a"])).toEqual({ kind: "same" });
    expect(compareJson({ a: { b: { c: 1 } } }, { a: { b: { c: 2 } } }, ["a.*.d", "a.b.c.d", "c"])).toEqual(
      bodyAt("a.b.c"),
    );
  });

  it("takes members of any name for what they are", () => {
    expect(compareAnswers(answer('{"__proto__":1}'), answer('{"__proto__":2}'), everything)).toEqual(
      bodyAt("__proto__"),
    );
    expect(compareAnswers(answer('{"toString":1}'), answer("{}"), everything)).toEqual(bodyAt("toString"));
  });

  it("tells ids apart that are too long for a number", () => {
    const live = answer('{"id":9007199254740992,"text":"\\" 9007199254740992"}');
    expect(compareAnswers(live, answer('{"text":"\\" 9007199254740992","id":9007199254740992}'), everything)).toEqual({
      kind: "same",
    });
    expect(compareAnswers(live, answer('{"id":9007199254740993,"text":"\\" 9007199254740992"}'), everything)).toEqual(
      bodyAt("id"),
    );
  });

  it("survives answers that are nested as deep, and have names as long, as somebody likes", () => {
    expect(compareAnswers(nested("1"), nested(" 1"), everything)).toEqual({ kind: "same" });
    const deep = compareAnswers(nested("1"), nested("2"), everything);
    expect(deep).toMatchObject({ differences: [{ field: expect.stringMatching(/^(?:0\.){100}…$/u) }] });
    const named = compareJson({ ["a".repeat(400_000)]: 1 }, {});
    expect(named).toEqual(bodyAt(`${"a".repeat(200)}…`));
  });

  it("compares the bytes of what is no JSON, whatever it calls itself", () => {
    const text = { headers: { "content-type": "text/plain" } };
    expect(compareAnswers(answer("a", text), answer("a", text), everything)).toEqual({ kind: "same" });
    expect(compareAnswers(answer("a", text), answer("b", text), everything)).toEqual(bodyAt(null));
    expect(compareAnswers(answer("{"), answer("}"), everything)).toEqual(bodyAt(null));
    const problem = { headers: { "content-type": "application/problem+json; charset=utf-8" } };
    expect(compareAnswers(answer('{ "a":1}', problem), answer('{"a":1}', problem), everything)).toEqual({
      kind: "same",
    });
  });

  it("says nothing of JSON that was too long to be kept, unless its bytes are the same", () => {
    const long = answer("1", { body: undefined });
    expect(compareAnswers(long, answer("2", { body: undefined }), everything)).toEqual({ kind: "tooLong" });
    expect(compareAnswers(long, answer("1", { body: undefined }), everything)).toEqual({ kind: "same" });
    const other = compareAnswers(long, answer("2", { body: undefined, status: 500 }), everything);
    expect(other).toEqual({ kind: "different", differences: [{ kind: "status" }] });
  });
});

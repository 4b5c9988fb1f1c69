import { describe, expect, test } from "vitest";
import { buildResources, type ResourcesByName } from "./snapshot.ts";
import { Subscription, type SubscriptionRequest, type SubscriptionResponse } from "./subscription.ts";

const silent: SubscriptionRequest = {
  subscribe: [],
  unsubscribe: [],
  initialVersions: new Map(),
  nonce: "",
  error: undefined,
};

function resources(content: Readonly<Record<string, string>>): ResourcesByName {
  return buildResources(new Map(Object.entries(content).map(([name, text]) => [name, Buffer.from(text)])));
}

function versions(from: ResourcesByName): ReadonlyMap<string, string> {
  return new Map([...from].map(([name, { version }]) => [name, version]));
}

function names(response: SubscriptionResponse | undefined): string[] | undefined {
  return response?.resources.map(({ name }) => name);
}

function ack(subscription: Subscription, response: SubscriptionResponse | undefined): void {
  expect(subscription.take({ ...silent, nonce: response?.nonce ?? "" })).toBe("ack");
}

function nack(subscription: Subscription, response: SubscriptionResponse | undefined, error: string): void {
  expect(subscription.take({ ...silent, nonce: response?.nonce ?? "", error })).toBe("nack");
}

/** A wildcard subscriber that has everything. */
function settled(content: ResourcesByName): Subscription {
  const subscription = new Subscription();
  subscription.take(silent);
  ack(subscription, subscription.next(content));
  expect(subscription.isSettled(content)).toBe(true);
  return subscription;
}

describe("wildcard", () => {
  test("nothing is sent before the proxy has asked", () => {
    expect(new Subscription().next(resources({ a: "1" }))).toBeUndefined();
  });

  test("a type that proxies ask for on demand is settled unasked when there is nothing of it", () => {
    const onDemand = new Subscription("forNamed");
    expect(onDemand.isSettled(resources({}))).toBe(true);
    expect(onDemand.isSettled(resources({ a: "1" }))).toBe(false);
    expect(new Subscription().isSettled(resources({}))).toBe(false);
  });

  test("a proxy that needs some resources of a type is settled without the others", () => {
    const secrets = new Subscription("forSome");
    const all = resources({ a: "1", b: "1" });
    expect([secrets.isSettled(all), secrets.hasAckedAll(all)]).toEqual([true, true]);
    secrets.take({ ...silent, subscribe: ["a"] });
    expect([secrets.isSettled(all), secrets.hasAckedAll(all)]).toEqual([false, false]);
    const response = secrets.next(all);
    expect(names(response)).toEqual(["a"]);
    ack(secrets, response);
    expect([secrets.isSettled(all), secrets.hasAckedAll(all)]).toEqual([true, true]);
  });

  test("the first answer has everything, later ones what changed", () => {
    const before = resources({ a: "1", b: "1" });
    const subscription = settled(before);
    expect(subscription.next(before)).toBeUndefined();
    const after = resources({ a: "1", b: "2", c: "1" });
    const response = subscription.next(after);
    expect(names(response)).toEqual(["b", "c"]);
    expect(response?.removed).toEqual([]);
  });

  test("a first request is answered even where there is nothing, because the proxy waits for it", () => {
    const subscription = new Subscription();
    subscription.take(silent);
    expect(subscription.isSettled(resources({}))).toBe(false);
    expect(subscription.next(resources({}))).toMatchObject({ resources: [], removed: [] });
    expect(subscription.next(resources({}))).toBeUndefined();
  });

  test("what is gone is removed, unless removals are withheld", () => {
    const subscription = settled(resources({ a: "1", b: "1" }));
    const after = resources({ a: "1" });
    expect(subscription.next(after, { withholdsRemovals: true })).toBeUndefined();
    expect(subscription.isSettled(after, { withholdsRemovals: true })).toBe(true);
    expect(subscription.isSettled(after)).toBe(false);
    expect(subscription.next(after)?.removed).toEqual(["b"]);
  });

  test("a star subscribes to all beside names, and unsubscribing it leaves the names", () => {
    const subscription = new Subscription();
    subscription.take({ ...silent, subscribe: ["a", "*"] });
    const first = subscription.next(resources({ a: "1", b: "1" }));
    expect(names(first)).toEqual(["a", "b"]);
    subscription.take({ ...silent, nonce: first?.nonce ?? "", unsubscribe: ["*"] });
    expect(names(subscription.next(resources({ a: "2", b: "2" })))).toEqual(["a"]);
  });
});

describe("names", () => {
  test("only what was asked for is sent", () => {
    const subscription = new Subscription();
    subscription.take({ ...silent, subscribe: ["a"] });
    const first = subscription.next(resources({ a: "1", b: "1" }));
    expect(names(first)).toEqual(["a"]);
    ack(subscription, first);
    subscription.take({ ...silent, subscribe: ["b"] });
    expect(names(subscription.next(resources({ a: "1", b: "1" })))).toEqual(["b"]);
  });

  test("asking again for a name sends it again", () => {
    const content = resources({ a: "1" });
    const subscription = new Subscription();
    subscription.take({ ...silent, subscribe: ["a"] });
    ack(subscription, subscription.next(content));
    subscription.take({ ...silent, subscribe: ["a"] });
    expect(names(subscription.next(content))).toEqual(["a"]);
  });

  test("an absent name is told once, and sent when it appears", () => {
    const subscription = new Subscription();
    subscription.take({ ...silent, subscribe: ["a"] });
    const absent = subscription.next(resources({}));
    expect(absent).toMatchObject({ resources: [], removed: ["a"] });
    ack(subscription, absent);
    expect(subscription.next(resources({}))).toBeUndefined();
    expect(names(subscription.next(resources({ a: "1" })))).toEqual(["a"]);
  });

  test("an unsubscribed name is not sent any more", () => {
    const subscription = new Subscription();
    subscription.take({ ...silent, subscribe: ["a"] });
    ack(subscription, subscription.next(resources({ a: "1" })));
    subscription.take({ ...silent, unsubscribe: ["a"] });
    expect(subscription.next(resources({ a: "2" }))).toBeUndefined();
  });

  test("forgotten resources are sent again", () => {
    const content = resources({ a: "1", b: "1" });
    const subscription = settled(content);
    subscription.forget(["b"]);
    expect(subscription.isSettled(content)).toBe(false);
    expect(names(subscription.next(content))).toEqual(["b"]);
  });
});

describe("reconnecting", () => {
  test("a proxy that has everything is sent nothing", () => {
    const content = resources({ a: "1", b: "1" });
    const subscription = new Subscription();
    subscription.take({ ...silent, initialVersions: versions(content) });
    expect(subscription.next(content)).toBeUndefined();
    expect(subscription.isSettled(content)).toBe(true);
    expect(subscription.isResumed).toBe(true);
  });

  test("it is sent what differs, and told what is gone", () => {
    const subscription = new Subscription();
    subscription.take({ ...silent, initialVersions: versions(resources({ a: "1", b: "1", c: "1" })) });
    const response = subscription.next(resources({ a: "1", b: "2" }));
    expect(names(response)).toEqual(["b"]);
    expect(response?.removed).toEqual(["c"]);
  });

  test("names that it brings along are not sent again", () => {
    const content = resources({ a: "1" });
    const subscription = new Subscription();
    subscription.take({ ...silent, subscribe: ["a"], initialVersions: versions(content) });
    expect(subscription.next(content)).toBeUndefined();
  });
});

describe("answers", () => {
  test("one response is under way at a time, and the next has the newest state", () => {
    const subscription = new Subscription();
    subscription.take(silent);
    const first = subscription.next(resources({ a: "1" }));
    expect(subscription.next(resources({ a: "2" }))).toBeUndefined();
    const newest = resources({ a: "3" });
    ack(subscription, first);
    expect(subscription.isSettled(newest)).toBe(false);
    expect(subscription.next(newest)?.resources[0]?.bytes).toEqual(Buffer.from("3"));
  });

  test("a stale nonce says nothing", () => {
    const subscription = new Subscription();
    subscription.take(silent);
    subscription.next(resources({ a: "1" }));
    expect(subscription.take({ ...silent, nonce: "17" })).toBe("none");
    expect(subscription.isSettled(resources({ a: "1" }))).toBe(false);
  });

  test("a refusal is kept with its text and resources, and not sent again until something changes", () => {
    const subscription = settled(resources({ a: "1" }));
    const bad = resources({ a: "bad" });
    nack(subscription, subscription.next(bad), "a is bad");
    expect(subscription.refusal(bad)).toMatchObject({ message: "a is bad", resources: ["a"] });
    expect(subscription.next(bad)).toBeUndefined();
    expect(subscription.isSettled(bad)).toBe(false);
    const restored = resources({ a: "1" });
    expect(subscription.refusal(restored)).toBeUndefined();
    ack(subscription, subscription.next(restored));
    expect(subscription.nack).toBeUndefined();
    expect(subscription.isSettled(restored)).toBe(true);
  });

  test("a refusal ends with what it was about, also where nothing is ever taken away", () => {
    const secrets = new Subscription("forSome");
    const keeps = { withholdsRemovals: true };
    secrets.take({ ...silent, subscribe: ["good", "bad"] });
    const all = resources({ good: "1", bad: "1" });
    nack(secrets, secrets.next(all, keeps), "bad is bad");
    expect(secrets.refusal(all, keeps)).toMatchObject({ message: "bad is bad" });
    expect(secrets.next(all, keeps)).toBeUndefined();
    const fewer = resources({ good: "1" });
    const again = secrets.next(fewer, keeps);
    expect(names(again)).toEqual(["good"]);
    ack(secrets, again);
    expect(secrets.isSettled(fewer, keeps)).toBe(true);
    const none = new Subscription("forSome");
    none.take({ ...silent, subscribe: ["bad"] });
    nack(none, none.next(resources({ bad: "1" }), keeps), "bad is bad");
    expect(none.refusal(resources({}), keeps)).toBeUndefined();
    expect(none.isSettled(resources({}), keeps)).toBe(true);
  });

  test("after a refusal every resource of it counts as unknown: Envoy may have taken some", () => {
    const subscription = settled(resources({ a: "1" }));
    nack(subscription, subscription.next(resources({ a: "1", b: "good", c: "bad" })), "c is bad");
    const response = subscription.next(resources({ a: "1", b: "good" }));
    expect(names(response)).toEqual(["b"]);
    expect(response?.removed).toEqual(["c"]);
  });

  test("a removal that was withheld is told when it no longer is, for the very same resources", () => {
    const subscription = settled(resources({ a: "1", b: "1" }));
    const after = resources({ a: "1" });
    expect(subscription.next(after, { withholdsRemovals: true })).toBeUndefined();
    expect(subscription.next(after, { withholdsRemovals: false })?.removed).toEqual(["b"]);
  });
});

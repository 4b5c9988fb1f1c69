import { expect, test } from "vitest";
import { playedArm, playedShares, PlayedSite, playedSplit } from "../../../test/played-site.fixture.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";

const timeoutMs = 20_000;
const [before, after] = [playedShares(100), playedShares(0)];

function preview(release: string): OwnedAddition {
  const marks = [{ headers: { [`x-${release}`]: { kind: "exact", value: "1" } }, cookies: {}, query: {} }] as const;
  const to = { [playedSplit]: playedArm("green") };
  return { release: `shop/${release}`, addition: { kind: "preview", name: release, to, marks } };
}
const own = preview("testers");

function laidIn(site: PlayedSite): readonly string[] {
  return site.rules.filter((name) => name.startsWith("kirikae/"));
}

test("what somebody has taken out is told, and laid again for the release that asks alone", async () => {
  const site = new PlayedSite();
  const target = site.openTarget();
  await target.lay([own], "shop/testers");
  expect(laidIn(site)).toHaveLength(1);
  expect(target.findStripped([own])).toBeUndefined();
  await target.lay([own], "shop/testers");
  expect(site.writes).toBe(1);
  site.strip();
  expect(target.findStripped([own])).toBe(
    "somebody else has taken the preview of the release out of VirtualService shop/web",
  );
  await target.lay([own], "shop/others");
  expect(laidIn(site)).toEqual([]);
  await target.lay([own], "shop/testers");
  expect(laidIn(site)).toHaveLength(1);
  expect(target.findStripped([own])).toBeUndefined();
});

test("what somebody has taken out does not come back with a way back", async () => {
  const site = new PlayedSite();
  const target = site.openTarget();
  await target.lay([own], "shop/testers");
  await target.apply(after, { timeoutMs, replaces: [before, after] });
  expect(laidIn(site)).toHaveLength(1);
  site.strip();
  await target.apply(before, { timeoutMs, replaces: [before, after], isWayBack: true });
  expect(laidIn(site)).toEqual([]);
  expect(site.weights()).toEqual(before.get(playedSplit));
});

test("what somebody has taken out stays out while another release lays something beside it", async () => {
  const site = new PlayedSite();
  const target = site.openTarget();
  await target.lay([own], "shop/testers");
  site.strip();
  const other = preview("others");
  await target.lay([own, other], "shop/third");
  expect(laidIn(site)).toEqual([]);
  await target.lay([own, other]);
  expect(laidIn(site)).toHaveLength(2);
});

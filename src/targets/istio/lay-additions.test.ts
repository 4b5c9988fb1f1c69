import { expect, test } from "vitest";
import { playedArm, PlayedSite, playedSplit } from "../../../test/played-site.fixture.ts";
import type { OwnedAddition } from "../../core/routes/route-addition.ts";

const reason = "route public: no such filter";
const own: OwnedAddition = {
  release: "shop/testers",
  addition: {
    kind: "preview",
    name: "testers",
    to: { [playedSplit]: playedArm("green") },
    marks: [{ headers: { "x-tester": { kind: "exact", value: "1" } }, cookies: {}, query: {} }],
  },
};

function laidIn(site: PlayedSite): readonly string[] {
  return site.rules.filter((name) => name.startsWith("kirikae/"));
}

test("nothing is laid while a proxy refuses its routes, not even for a moment", async () => {
  const site = new PlayedSite();
  site.addRefusingGateway(reason);
  await expect(site.openTarget().lay([own], "shop/testers")).rejects.toMatchObject({
    code: "KIR4041",
    message: expect.stringContaining(`KIR4043 gateway-3.istio-system refuses its routes already: ${reason}`),
  });
  expect(site.writes).toBe(0);
});

test("what a release has laid goes on its way back, although a proxy refuses its routes", async () => {
  const site = new PlayedSite();
  const target = site.openTarget();
  await target.lay([own], "shop/testers");
  site.addRefusingGateway(reason);
  await expect(target.lay([], "shop/testers")).rejects.toThrow("refuses its routes already");
  expect(laidIn(site)).toHaveLength(1);
  await target.lay([], "shop/testers", { isWayBack: true });
  expect(laidIn(site)).toEqual([]);
});

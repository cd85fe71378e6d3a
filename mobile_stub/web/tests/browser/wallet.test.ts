/** The wallet's pages in Chromium, with the real services. One deployment serves all cases. */

import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { access } from "./cases/access.ts";
import { answering } from "./cases/answering.ts";
import { enrolling } from "./cases/enrolling.ts";
import { journey } from "./cases/journey.ts";
import { locking } from "./cases/locking.ts";
import { menus } from "./cases/menus.ts";
import { nudges } from "./cases/nudges.ts";
import { policy } from "./cases/policy.ts";
import { states } from "./cases/states.ts";
import { versions } from "./cases/versions.ts";
import { SLOW, World } from "./world.ts";

let world: World | undefined;
const here = (): World => {
  if (world === undefined) throw new Error("the services did not start");
  return world;
};

beforeAll(async () => {
  world = await World.begin();
}, SLOW);
afterAll(async () => {
  await world?.end();
});
afterEach(async () => {
  expect(await world?.tidy()).toEqual([]);
}, SLOW);

journey(here);
answering(here);
enrolling(here);
states(here);
menus(here);
locking(here);
versions(here);
nudges(here);
policy(here);
access(here);

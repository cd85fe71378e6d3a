/** The wallet's screens in Chromium, with the real services. */

import { access } from "./cases/access.ts";
import { answering } from "./cases/answering.ts";
import { centre } from "./cases/centre.ts";
import { enrolling } from "./cases/enrolling.ts";
import { installing } from "./cases/installing.ts";
import { journey } from "./cases/journey.ts";
import { locking } from "./cases/locking.ts";
import { menus } from "./cases/menus.ts";
import { nudges } from "./cases/nudges.ts";
import { passes } from "./cases/passes.ts";
import { policy } from "./cases/policy.ts";
import { reloading } from "./cases/reloading.ts";
import { several } from "./cases/several.ts";
import { states } from "./cases/states.ts";
import { versions } from "./cases/versions.ts";
import { waking } from "./cases/waking.ts";
import { useWorld } from "./world.ts";

const here = useWorld();
journey(here);
answering(here);
enrolling(here);
reloading(here);
states(here);
several(here);
menus(here);
passes(here);
installing(here);
locking(here);
versions(here);
nudges(here);
policy(here);
centre(here);
waking(here);
access(here);

// SPDX-License-Identifier: Apache-2.0
// Begins what a page does beside links. Without it every page works, too.

import * as area from "./area.js";
import * as details from "./details.js";
import * as inPlace from "./in_place.js";
import * as keys from "./keys.js";
import * as live from "./live.js";

for (const part of [inPlace, area, details, keys, live]) part.start();

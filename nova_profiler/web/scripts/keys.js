// SPDX-License-Identifier: Apache-2.0
// The keyboard: "/" searches, Escape goes up, arrows go about in pictures and
// tables. A picture is one stop of Tab.

import { hide } from "./details.js";
import { edgesOf } from "./edges.js";
import { SHOWN } from "./in_place.js";

const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
// How much more it counts to lie aside than ahead.
const ASIDE = 3;

export function start() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("focusin", (event) => {
    const picture = pictureOf(event.target);
    if (picture) makeStop(picture, event.target);
  });
  document.addEventListener(SHOWN, prepare);
  const line = document.getElementById("keys");
  if (line) line.hidden = false;
  prepare();
}

// Make each picture one stop of Tab: the box that had the focus, or the first.
function prepare() {
  for (const picture of document.querySelectorAll("svg[role=group]")) {
    const links = [...picture.querySelectorAll("a")];
    const stop = links.find((link) => link === document.activeElement);
    if (links.length) makeStop(picture, stop ?? links[0]);
  }
}

function makeStop(picture, stop) {
  for (const link of picture.querySelectorAll("a"))
    link.setAttribute("tabindex", link === stop ? "0" : "-1");
}

function pictureOf(target) {
  return target.closest?.("svg a")?.closest("svg[role=group]");
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.matches?.("input, select, textarea");
  if (event.key === "Escape") up(isTyping && event.target);
  else if (isTyping) return;
  else if (event.key === "/") search(event);
  else if (event.key in DIRECTIONS) move(event);
}

function up(field) {
  if (field) return field.blur();
  if (hide()) return;
  // The last one: what is lower on the page lies deeper.
  const links = document.querySelectorAll("[data-up]");
  links[links.length - 1]?.click();
}

function search(event) {
  const field =
    document.querySelector("[data-search]") ??
    document.querySelector("main input:not([type=hidden])");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

function move(event) {
  const picture = pictureOf(event.target);
  const next = picture
    ? nearest(picture, event.target.closest("a"), DIRECTIONS[event.key])
    : rowBeside(event.target, DIRECTIONS[event.key][1]);
  if (!next) return;
  event.preventDefault();
  next.focus();
}

// The box that lies next in a direction, measured between their edges.
function nearest(picture, from, [dx, dy]) {
  const here = edgesOf(from);
  let best = null;
  let least = Infinity;
  for (const link of picture.querySelectorAll("a")) {
    const there = edgesOf(link);
    const ahead = dx
      ? dx * (there.left - here.left)
      : dy * (there.top - here.top);
    if (link === from || ahead < 0.5) continue;
    const aside = dx
      ? gap(here.top, here.bottom, there.top, there.bottom)
      : gap(here.left, here.right, there.left, there.right);
    if (ahead + ASIDE * aside < least) {
      least = ahead + ASIDE * aside;
      best = link;
    }
  }
  return best;
}

// Between two spans; 0 where they overlap.
function gap(start, end, otherStart, otherEnd) {
  return Math.max(0, otherStart - end + 1, start - otherEnd + 1);
}

function rowBeside(target, step) {
  const row = step && target.closest?.("tr");
  let next = row;
  while (next) {
    next = step > 0 ? next.nextElementSibling : next.previousElementSibling;
    const stop = next?.querySelector("a, summary");
    if (stop) return stop;
  }
  return null;
}

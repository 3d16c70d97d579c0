// SPDX-License-Identifier: Apache-2.0
// Shows the words of a box of a picture beside it, on hover and on focus.

import { edgesOf } from "./edges.js";
import { SHOWN } from "./in_place.js";

const BOXES = "svg.bar a, svg.bar g, svg.wide a";
const GAP_PX = 12;

let panel = null;
let current = null;

export function start() {
  panel = document.createElement("div");
  panel.id = "details";
  panel.className = "details";
  panel.setAttribute("role", "tooltip");
  panel.dataset.own = "";
  panel.hidden = true;
  document.querySelector("main").append(panel);
  document.addEventListener("pointerover", (event) => {
    const box = boxOf(event.target);
    if (!box) hide();
    else open(box, event.clientX, event.clientY);
  });
  document.addEventListener("focusin", (event) => {
    const box = boxOf(event.target);
    if (!box || !event.target.matches(":focus-visible")) return;
    const { left, bottom } = edgesOf(box);
    open(box, Math.max(0, left), bottom);
  });
  document.addEventListener("focusout", hide);
  document.addEventListener(SHOWN, hide);
}

// Whether there was something to hide.
export function hide() {
  const wasOpen = Boolean(panel) && !panel.hidden;
  current?.removeAttribute("aria-describedby");
  current = null;
  if (panel) panel.hidden = true;
  return wasOpen;
}

function boxOf(target) {
  const box = target.closest?.(BOXES);
  return box && wordsOf(box) ? box : null;
}

// The browser's own box of words would lie over this one.
function wordsOf(box) {
  const title = box.querySelector("title");
  if (title) {
    box.dataset.words = title.textContent;
    box.setAttribute("aria-label", title.textContent);
    title.textContent = "";
  }
  return box.dataset.words;
}

function open(box, x, y) {
  if (box === current) return;
  hide();
  current = box;
  panel.textContent = box.dataset.words;
  panel.hidden = false;
  box.setAttribute("aria-describedby", panel.id);
  const { width, height } = panel.getBoundingClientRect();
  const right = document.documentElement.clientWidth - width - GAP_PX;
  const isBelow = y + GAP_PX + height < innerHeight;
  const top = isBelow ? y + GAP_PX : Math.max(0, y - height - 2 * GAP_PX);
  // Places of the page, with which it scrolls.
  panel.style.left = `${scrollX + Math.max(GAP_PX, Math.min(x, right))}px`;
  panel.style.top = `${scrollY + top}px`;
}

// SPDX-License-Identifier: Apache-2.0
// Chooses an area of the heat map, or a span of a waterfall, by dragging.

import { show } from "./in_place.js";

// A shorter way is a click.
const LEAST_PX = 5;
const SVG = "http://www.w3.org/2000/svg";

let drag = null;

export function start() {
  document.addEventListener("pointerdown", begin);
  document.addEventListener("pointermove", go);
  document.addEventListener("pointerup", end);
  document.addEventListener("pointercancel", leave);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
  });
  // What a browser would drag is the link below the pointer.
  document.addEventListener("dragstart", (event) => {
    if (event.target.closest?.("[data-area]")) event.preventDefault();
  });
}

function begin(event) {
  const picture = event.target.closest?.("[data-area]");
  // A finger scrolls.
  if (!picture || event.button !== 0 || event.pointerType === "touch") return;
  drag = { picture, from: placeIn(picture, event), box: null };
}

function go(event) {
  if (!drag) return;
  const to = placeIn(drag.picture, event);
  const way = Math.hypot(to.x - drag.from.x, to.y - drag.from.y);
  if (!drag.box && way < LEAST_PX) return;
  drag.box ??= boxIn(drag.picture);
  drag.area = areaOf(drag.picture, drag.from, to);
  const { left, top, width, height } = drag.area.drawn;
  drag.box.setAttribute("x", left);
  drag.box.setAttribute("y", top);
  drag.box.setAttribute("width", width);
  drag.box.setAttribute("height", height);
  event.preventDefault();
}

function end() {
  const chosen = drag?.box && drag.area;
  leave();
  if (!chosen) return;
  // The click that ends a drag leads nowhere.
  addEventListener("click", stop, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", stop, { capture: true }), 0);
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(chosen.query))
    if (value === null) address.searchParams.delete(name);
    else address.searchParams.set(name, value);
  address.searchParams.delete("page");
  show(address.href);
}

function leave() {
  drag?.box?.remove();
  drag?.picture.removeAttribute("data-dragged");
  drag = null;
}

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}

function placeIn(picture, event) {
  const { left, top, width, height } = picture.getBoundingClientRect();
  return {
    x: Math.max(0, Math.min(width, event.clientX - left)),
    y: Math.max(0, Math.min(height, event.clientY - top)),
  };
}

function boxIn(picture) {
  const box = document.createElementNS(SVG, "rect");
  box.setAttribute("class", "area");
  box.dataset.own = "";
  picture.append(box);
  picture.setAttribute("data-dragged", "");
  return box;
}

function areaOf(picture, from, to) {
  const x = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const y = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  return picture.dataset.area === "map"
    ? cellsOf(picture, x, y)
    : spanOf(picture, x);
}

// Whole cells of the heat map: columns of time, rows of milliseconds.
function cellsOf(picture, x, y) {
  const { start, width, columns, edges, row } = picture.dataset;
  const ends = edges.split(" ").map(Number);
  const column = picture.getBoundingClientRect().width / columns;
  const [first, last] = x.map((at) => within(at / column, columns));
  const [top, bottom] = y.map((at) => within(at / row, ends.length));
  const low = ends[ends.length - 2 - bottom] ?? 0;
  const at = (column) => timeOf(Number(start) + column * width);
  return {
    drawn: {
      left: first * column,
      width: (last + 1 - first) * column,
      top: top * row,
      height: (bottom + 1 - top) * row,
    },
    query: {
      since: at(first),
      until: at(last + 1),
      min_ms: low || null,
      max_ms: ends[ends.length - 1 - top],
    },
  };
}

function spanOf(picture, x) {
  const { width, height } = picture.getBoundingClientRect();
  const start = Number(picture.dataset.start);
  const [from, to] = x.map(
    (at) => start + (at / width) * (picture.dataset.end - start),
  );
  return {
    drawn: { left: x[0], width: x[1] - x[0], top: 0, height },
    query: { from_ms: from.toFixed(3), to_ms: to.toFixed(3), call: null },
  };
}

function within(place, count) {
  return Math.max(0, Math.min(count - 1, Math.floor(place)));
}

function timeOf(epochMs) {
  return new Date(epochMs).toISOString().replace("Z", "+00:00");
}

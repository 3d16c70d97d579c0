// SPDX-License-Identifier: Apache-2.0
// Brings new dumps onto a page that is open. It asks for nothing while its tab
// is hidden or a person has paused it.

import { SHOWN, replace } from "./in_place.js";

const EVERY_MS = 5000;
const READING_MS = 2000;
const MOST_MS = 60_000;

let timer = 0;
let asked = null;
// What the server called the state that is shown, and of which view.
let tag = "";
let tagOf = "";
let failures = 0;
let isPaused = false;
let line = null;
let words = null;

export function start() {
  addSwitch();
  document.addEventListener("visibilitychange", goOn);
  document.addEventListener(SHOWN, () => goOn());
  goOn();
}

function main() {
  return document.querySelector("main");
}

function isLive() {
  return main()?.dataset.live !== undefined;
}

// Ask again after a while, at once when the tab has been hidden.
function goOn(event) {
  clearTimeout(timer);
  if (document.hidden || isPaused || !isLive()) {
    asked?.abort();
    return;
  }
  const rest = main().dataset.live === "reading" ? READING_MS : EVERY_MS;
  const wait = Math.min(MOST_MS, rest * 2 ** failures);
  timer = setTimeout(look, event ? 0 : wait);
}

async function look() {
  const mine = (asked = new AbortController());
  const view = location.href;
  try {
    const headers = { Accept: "text/html" };
    if (tag && tagOf === view) headers["If-None-Match"] = tag;
    const response = await fetch(view, { headers, signal: mine.signal });
    const text = response.status === 200 ? await response.text() : "";
    if (!response.ok && response.status !== 304)
      throw new Error(response.statusText);
    failures = 0;
    // A person may have gone on, or be choosing an area, meanwhile.
    const isFree = view === location.href && !main().hasAttribute("aria-busy");
    if (text && isFree && !document.querySelector("[data-dragged]")) {
      tag = response.headers.get("ETag") ?? "";
      tagOf = view;
      replace(text);
    }
  } catch (error) {
    if (error.name !== "AbortError") failures += 1;
  }
  report();
  if (asked === mine) goOn();
}

function addSwitch() {
  line = document.createElement("span");
  line.className = "soft";
  line.dataset.own = "";
  const button = document.createElement("button");
  button.type = "button";
  words = document.createElement("span");
  button.addEventListener("click", () => {
    isPaused = !isPaused;
    report();
    goOn(isPaused ? undefined : true);
  });
  line.append(" · ", words, " ", button);
  const place = document.querySelector("h1 + p");
  if (place) place.append(line);
  else document.querySelector("h1").after(line);
  report();
}

function report() {
  line.hidden = !isLive();
  words.nextElementSibling.textContent = isPaused ? "go on" : "pause";
  words.textContent = isPaused
    ? "paused"
    : failures
      ? "the server gives no answer; it is asked again"
      : "live";
}

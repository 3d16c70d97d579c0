// SPDX-License-Identifier: Apache-2.0
// Follows links and forms to other views of the same page without a reload:
// sorting, filtering and zooming. The address is that of the view.

import { become } from "./morph.js";

// Sent to the document each time its page has changed.
export const SHOWN = "pages:shown";

let shown = viewOf(location);
let asked = null;

export function start() {
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  addEventListener("popstate", () => {
    if (viewOf(location) !== shown) show(location.href, { isNew: false });
  });
}

// Show the view of an address. Where that fails the browser goes there.
export async function show(address, { isNew = true } = {}) {
  asked?.abort();
  const mine = (asked = new AbortController());
  const main = document.querySelector("main");
  main.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(address, {
      headers: { Accept: "text/html" },
      signal: mine.signal,
    });
    if (!response.ok) throw new Error(response.statusText);
    const text = await response.text();
    if (isNew) history.pushState(null, "", address);
    replace(text);
    for (const form of document.forms) form.reset();
  } catch (error) {
    if (error.name !== "AbortError") location.assign(address);
    return;
  }
  main.removeAttribute("aria-busy");
}

// Put the text of a page in the place of the one that is shown.
export function replace(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  become(document.querySelector("main"), page.querySelector("main"));
  document.title = page.title;
  shown = viewOf(location);
  document.dispatchEvent(new Event(SHOWN));
}

function viewOf(address) {
  return address.pathname + address.search;
}

function isPlain(event) {
  return (
    event.button === 0 &&
    !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
  );
}

async function onClick(event) {
  const link = event.target.closest?.("a");
  if (!link || event.defaultPrevented || !isPlain(event)) return;
  // That of an SVG has an address of its own kind.
  const href = link.getAttribute("href");
  if (!href || link.hasAttribute("download")) return;
  const address = new URL(href, document.baseURI);
  if (
    address.origin !== location.origin ||
    address.pathname !== location.pathname ||
    address.searchParams.has("format") ||
    viewOf(address) === shown
  )
    return;
  event.preventDefault();
  const picture = link.closest("svg[role=group]");
  const name = picture?.getAttribute("aria-label");
  await show(address.href);
  if (name) firstOf(name)?.focus({ preventScroll: true });
  else scrollTo(address.hash);
}

// The first box of the picture of that name, once it has been zoomed.
function firstOf(name) {
  return [...document.querySelectorAll("svg[role=group]")]
    .find((picture) => picture.getAttribute("aria-label") === name)
    ?.querySelector("a");
}

function scrollTo(hash) {
  const target = hash && document.getElementById(hash.slice(1));
  if (target && target.getBoundingClientRect().top < 0)
    target.scrollIntoView();
}

async function onSubmit(event) {
  const form = event.target;
  const address = new URL(form.getAttribute("action") ?? "", location.href);
  if (form.method !== "get" || address.pathname !== location.pathname) return;
  event.preventDefault();
  const given = [...new FormData(form)].filter(([, value]) => value !== "");
  address.search = new URLSearchParams(given).toString();
  await show(address.href);
}

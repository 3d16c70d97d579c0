// SPDX-License-Identifier: Apache-2.0
// Makes one part of a page like another, and keeps what is alike: so focus,
// opened statements and the place on the page stay.

// What scripts of ours put into the page has the attribute data-own.
const isOwn = (node) => node?.dataset?.own !== undefined;

// What a person or a script has changed since the page came.
const KEPT = { DETAILS: ["open"], MAIN: ["aria-busy"] };

export function become(old, wanted) {
  const focused = document.activeElement;
  morph(old, wanted);
  if (focused !== document.activeElement && focused?.isConnected)
    focused.focus({ preventScroll: true });
}

function morph(old, wanted) {
  copyAttributes(old, wanted);
  const children = [...wanted.childNodes];
  const keys = new Set(children.map(keyOf));
  const keyed = new Map();
  for (const child of [...old.childNodes]) {
    const key = keyOf(child);
    if (!key || isOwn(child)) continue;
    if (!keys.has(key) || keyed.has(key)) child.remove();
    else keyed.set(key, child);
  }
  let at = old.firstChild;
  for (const next of children) {
    while (isOwn(at)) at = at.nextSibling;
    const found = counterpart(at, next, keyed);
    if (!found) {
      old.insertBefore(document.importNode(next, true), at);
      continue;
    }
    if (found === at) at = at.nextSibling;
    else old.insertBefore(found, at);
    if (found.nodeType === Node.ELEMENT_NODE) morph(found, next);
    else if (found.data !== next.data) found.data = next.data;
  }
  while (at) {
    const after = at.nextSibling;
    if (!isOwn(at)) at.remove();
    at = after;
  }
}

// The node that is to become `next`: of the same key, else the one in its place.
function counterpart(at, next, keyed) {
  const key = keyOf(next);
  if (key) {
    const found = keyed.get(key);
    keyed.delete(key);
    return found;
  }
  const isAlike = at && !keyOf(at) && at.nodeName === next.nodeName;
  return isAlike ? at : null;
}

// A row of a table is the row of what its first link leads to.
function keyOf(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  if (node.id) return `#${node.id}`;
  if (node.nodeName !== "TR") return "";
  return node.querySelector("td a")?.getAttribute("href") ?? "";
}

function copyAttributes(old, wanted) {
  const kept = KEPT[old.nodeName] ?? [];
  for (const { name } of [...old.attributes])
    if (!wanted.hasAttribute(name) && !kept.includes(name))
      old.removeAttribute(name);
  for (const { name, value } of wanted.attributes)
    if (old.getAttribute(name) !== value && !kept.includes(name))
      old.setAttribute(name, value);
}

// SPDX-License-Identifier: Apache-2.0
// Where a box of a picture is on the screen.

// Those of its box: the words in it may be longer, and are cut there.
export function edgesOf(link) {
  return (link.querySelector("rect") ?? link).getBoundingClientRect();
}

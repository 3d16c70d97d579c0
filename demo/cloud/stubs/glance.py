# SPDX-License-Identifier: Apache-2.0
"""Process that answers for glance: any id is an image that can be booted.

python -m demo.cloud.stubs.glance DELAY_MS
"""

from __future__ import annotations

from demo.cloud.stubs import answering
from demo.cloud.stubs.answering import Answer, Asked
from demo.server import images


def answer(asked: Asked) -> Answer:
    """Return an image, or the schema of images."""
    kind, name = asked.words[0], asked.words[-1]
    if kind == "images":
        return Answer(200, images.image(name))
    if kind == "schemas":
        return Answer(200, images.schema(name))
    raise answering.NotThereError("/".join(asked.words))


if __name__ == "__main__":
    answering.run(answer)

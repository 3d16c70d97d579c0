# SPDX-License-Identifier: Apache-2.0
"""The words of a slot, as worker and reader know them.

A slot is one piece of a request in one thread at a time. Its NUMBER is never
given twice, and is written last: a reader that finds the same one before and
after it looked knows that nothing else ran there meanwhile. HOME is the slot
in which REQUEST stands until the request is over.
"""

WORDS = 8
SLOT_BYTES = 8 * WORDS
NUMBER, THREAD, TID, MARK, REQUEST, HOME, GREENLET = range(7)
# Slot 0 is no slot, but words of both sides: whether the reader sleeps, how
# many slots were ever used, the interval that was asked for in microseconds
# (0: none), and whether a start test's threads may go on.
ASLEEP, USED, INTERVAL_US, GO_ON = range(4)

# SPDX-License-Identifier: Apache-2.0
"""Engine ``pyinstrument``: samples of the requests that were chosen."""

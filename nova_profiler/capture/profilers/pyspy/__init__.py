# SPDX-License-Identifier: Apache-2.0
"""Engine ``pyspy``: stacks of every request, taken from outside."""

# SPDX-License-Identifier: Apache-2.0
"""Engine ``stacks``: stacks of every request, read without a stop."""

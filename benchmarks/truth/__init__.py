# SPDX-License-Identifier: Apache-2.0
"""Whether profilers are right: shares, and stacks of other requests."""

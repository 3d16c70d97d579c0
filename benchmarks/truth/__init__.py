# SPDX-License-Identifier: Apache-2.0
"""Whether profilers are right: about shares, and about whose stacks."""

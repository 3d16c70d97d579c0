# SPDX-License-Identifier: Apache-2.0
"""What code objects are called, and which line an instruction is of."""

# SPDX-License-Identifier: Apache-2.0
"""One thread's stack: which places are copied, and what is made of a copy."""

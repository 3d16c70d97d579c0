# SPDX-License-Identifier: Apache-2.0
"""Forms of clients, which log what they waited for."""

# SPDX-License-Identifier: Apache-2.0
"""The options: what they are, where they are written, which are in force."""

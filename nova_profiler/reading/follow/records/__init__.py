# SPDX-License-Identifier: Apache-2.0
"""Records in the story of a request: exact where lines only hint."""

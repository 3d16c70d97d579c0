# SPDX-License-Identifier: Apache-2.0
"""The rules, a file for each; ``table`` has a row for each."""

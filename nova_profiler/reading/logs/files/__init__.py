# SPDX-License-Identifier: Apache-2.0
"""Log files: found, unpacked and cut into blocks."""

# SPDX-License-Identifier: Apache-2.0
"""What the records of a request are to each other."""

# SPDX-License-Identifier: Apache-2.0
"""What a request, a statement and a call cost under each contender."""

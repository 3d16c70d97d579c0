# SPDX-License-Identifier: Apache-2.0
"""What served messages cost: one, a conductor's, and a million in memory."""

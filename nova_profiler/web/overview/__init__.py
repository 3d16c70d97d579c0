# SPDX-License-Identifier: Apache-2.0
"""The overview: what is slow, when, and what differs in it."""

# SPDX-License-Identifier: Apache-2.0
"""Which requests an engine watches, and which records become dumps."""

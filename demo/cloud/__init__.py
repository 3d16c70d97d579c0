# SPDX-License-Identifier: Apache-2.0
"""A small cloud: all of nova's services and placement as processes."""

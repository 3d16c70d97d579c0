# SPDX-License-Identifier: Apache-2.0
"""A profile as one page of HTML, which runs nothing."""

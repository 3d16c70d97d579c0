# SPDX-License-Identifier: Apache-2.0
"""One reader tried in a process of its own, which may crash or hang."""

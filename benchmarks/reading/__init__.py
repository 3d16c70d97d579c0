# SPDX-License-Identifier: Apache-2.0
"""How fast the commands read: logs, dumps, profiles, kept runs."""

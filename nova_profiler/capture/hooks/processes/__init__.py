# SPDX-License-Identifier: Apache-2.0
"""Hook of child processes and of the daemons that run them as root."""

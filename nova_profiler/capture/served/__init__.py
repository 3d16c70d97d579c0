# SPDX-License-Identifier: Apache-2.0
"""What is served and timed, each side with the facts of its protocol."""

# SPDX-License-Identifier: Apache-2.0
"""What is served and timed, and the facts that only its protocol tells."""

# SPDX-License-Identifier: Apache-2.0
"""What records weigh, measured on some and reckoned for a fleet."""

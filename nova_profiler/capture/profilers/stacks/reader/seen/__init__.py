# SPDX-License-Identifier: Apache-2.0
"""What looks have seen of each request, and when."""

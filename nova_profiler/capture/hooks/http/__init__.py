# SPDX-License-Identifier: Apache-2.0
"""HTTP requests that are sent to other services, and the routes of them."""

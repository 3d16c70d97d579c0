# SPDX-License-Identifier: Apache-2.0
"""The parts of a request's page in HTML, a file for each."""

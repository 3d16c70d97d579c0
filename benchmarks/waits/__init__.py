# SPDX-License-Identifier: Apache-2.0
"""Has what a request waits for a name, and are its times right?"""

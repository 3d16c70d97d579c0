# SPDX-License-Identifier: Apache-2.0
"""Hook of the ways to hand work to threads and greenthreads."""

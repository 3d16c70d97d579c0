# SPDX-License-Identifier: Apache-2.0
"""Shares of a profile's work, where there are samples enough to say any."""

from __future__ import annotations

from nova_profiler.profiles.summaries import SAMPLES, Profile

# A function seen at work less often may as well have been missed.
FEW = 5


def has_shares(profile: Profile) -> bool:
    """Tell whether there are samples enough to say shares of the work."""
    return profile.kind != SAMPLES or is_enough(profile.busy_number)


def is_enough(samples: float) -> bool:
    """Tell whether so many samples say something."""
    # They are added up from parts.
    return round(samples, 3) >= FEW


def share_in(profile: Profile, part_s: float) -> float | None:
    """Return the share of the work that *part_s* is, None if unknown."""
    if not has_shares(profile):
        return None
    return part_s / profile.busy_s if profile.busy_s > 0 else 0.0


def seconds(value: float) -> str:
    """Return a time in the unit that fits."""
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"

"""The weights of strategies of cold starters, by a naive loop."""

import math


def naive_weights(means: list[float], threshold: float, temperature: float | None) -> list[float]:
    """Eq. 21–23, user by user; equal weights without a temperature."""
    best = max(range(len(means)), key=lambda user: means[user])
    near = [user for user, mean in enumerate(means) if mean > threshold or user == best]
    power = [math.exp(means[user] / temperature) if temperature else 1.0 for user in near]
    weights = [0.0] * len(means)
    for user, one in zip(near, power, strict=True):
        weights[user] = one / sum(power)
    return weights

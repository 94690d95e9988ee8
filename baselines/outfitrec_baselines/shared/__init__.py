"""Components that several baselines share."""

"""The engine: ablation and noise on any network, from outside, on what `layers` finds to be units."""

"""Signals and examples to learn from: one function each, and the same data for the same seed."""

from mlsp_tf.datasets.chirp_in_noise import chirp_in_noise

__all__ = ["chirp_in_noise"]

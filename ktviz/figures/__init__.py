"""Matplotlib figures: pure functions from results to figures, no pyplot state."""

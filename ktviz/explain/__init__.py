"""What the retrievals of a translation mean: shares of sources, regions traced back to patches."""

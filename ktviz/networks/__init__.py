"""Networks as every system runs them: weights on disk, devices and precisions, threads, tiles."""

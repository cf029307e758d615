"""Banks of patches: bands, the grid, search keys, the cluster tree, and search."""

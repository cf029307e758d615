"""The knowledge library: sources, banks, the cluster tree and the search."""

"""CoCosNet."""

"""The library map: all entries of banks, or their sources, as points of a plane in which alike ones are near."""

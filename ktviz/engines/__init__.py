"""Engines: what does the same work for each of many things, here or on many machines."""

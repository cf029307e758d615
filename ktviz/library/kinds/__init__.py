"""Kinds of bank: what the knowledge in a bank consists of, and how it is searched."""

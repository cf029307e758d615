"""Bridging label- and reference-based synthesis (Huang et al. 2021)."""

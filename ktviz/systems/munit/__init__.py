"""MUNIT: pictures of one domain in the styles of another (Huang et al. 2018)."""

"""What every system speaks: queries, the entries they choose, and the sites through which choices pass."""

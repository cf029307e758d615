"""Seeded generator of the sample photographs and of the style sources in `sample_data/`."""

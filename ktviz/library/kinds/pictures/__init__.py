"""Banks of pictures: exemplars and references, kept pixel by pixel."""

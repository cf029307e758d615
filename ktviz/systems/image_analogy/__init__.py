"""Deep Image Analogy."""

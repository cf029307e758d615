"""Systems side by side: the same input, the same reference, the same questions."""

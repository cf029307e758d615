"""Of every system trials of its modes, in the small worlds of its own tests, and what it must refuse."""

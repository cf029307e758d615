"""Recording: sites and hooks, the trace as a table, adapters for other people's models, stores of many traces."""

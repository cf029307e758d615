"""Views: the Explorer and its parts, live in a notebook and as pages without a kernel."""

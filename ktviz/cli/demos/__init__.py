"""Demos: what a system does with the sample data, one module a system."""

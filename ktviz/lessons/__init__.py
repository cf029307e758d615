"""The lessons that come with ktviz: students' copies of the notebooks, and checkers of their exercises."""

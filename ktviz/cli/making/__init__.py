"""How a command makes pictures: with which system, from which knowledge, with which settings; one module a system."""

"""The use cases: a class for each noun, its collaborators and the clock through `__init__`. They own the transactions."""

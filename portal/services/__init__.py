"""The use cases: a class for each noun, collaborators and clock through `__init__`. They own the transactions."""

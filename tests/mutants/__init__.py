"""What decides about money, changed on purpose, one small change at a time: the tests must notice each.

The changes are mutmut's (`mutmut.mutation.mutators`); which of them are none worth trying stands in `skipping.py`, each
with its reason. A change is put into a copy of the tree that is already running, in a process of its own, and only the
tests that execute the changed line are run, the nearest first.
"""

"""The only code that leaves the process."""

"""Stand-ins that tests put where the network would be."""

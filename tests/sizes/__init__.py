"""How long every page takes, with how much in the database, and by which way the database answers."""

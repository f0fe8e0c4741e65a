"""The portal's promises, as tests; the folders are the rooms they hold."""

"""The operators' pages, fetched by the client that looks closely at each."""

"""The affiliate's pages, as a browser without JavaScript and as htmx see them."""

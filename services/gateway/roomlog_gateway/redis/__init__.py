"""Redis's side: the link, commands into streams, publications out of channels. Knows no client, no room."""

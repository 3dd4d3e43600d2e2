"""One client's side: upgrade, frames, limits, session and what waits for a socket. Knows no room."""

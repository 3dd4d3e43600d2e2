"""Orders, and the room of each."""

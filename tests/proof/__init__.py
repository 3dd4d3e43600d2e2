"""The proof: every tier of faults in one command, each row with the command that repeats it."""

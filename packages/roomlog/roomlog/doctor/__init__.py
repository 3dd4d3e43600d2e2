"""`roomlog doctor`: what an operator would look at first, looked at. See `management/commands/doctor.py`."""

"""The app's commands: `doctor` and `new_epoch`."""

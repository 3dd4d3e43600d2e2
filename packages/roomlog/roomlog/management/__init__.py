"""The app's commands: `doctor`, `make_demo` and `new_epoch`."""

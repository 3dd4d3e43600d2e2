"""The app's commands: `doctor`, `new_epoch` and `roomlog`."""

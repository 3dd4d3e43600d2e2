"""Another project's app, with user models unlike Django's own."""

"""The stand-alone project around the app `roomlog`, for those who have none: settings, urls, server."""

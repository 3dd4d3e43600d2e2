"""The workers: ordered writers of the rooms' logs, one process a StatefulSet ordinal."""

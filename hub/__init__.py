"""Stores, locates, decides, shows."""

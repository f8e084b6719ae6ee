"""Alerts: what they say together, what is the same thing again, what opens a case."""

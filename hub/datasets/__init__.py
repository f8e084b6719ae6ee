"""Verdicts of people as labelled pictures, in the layout that training reads."""

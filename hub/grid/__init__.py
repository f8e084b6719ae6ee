"""Grids and fences: which one a point lies in, and what it entered or left."""

"""Permits to haul spoil (处置证): one object, kept, imported, and judged against tracks."""

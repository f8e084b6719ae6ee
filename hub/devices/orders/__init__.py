"""Orders to devices: who may give which, and what became of each."""

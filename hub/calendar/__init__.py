"""Working time: which days and hours count, and when a limit has run out."""

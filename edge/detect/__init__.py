"""From frames to alerts: what is there, what stays, and whether it may (see `watch.py`)."""

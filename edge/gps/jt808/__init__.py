"""JT/T 808: what vehicle terminals and a platform say to each other. Bytes ↔ values, no I/O.

Source: JT/T 808-2011, -2013 and -2019. `frame.py` finds messages in a stream, `join.py` puts split
ones together, `body.py` and `position.py` read what they say.
"""

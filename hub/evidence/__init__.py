"""Files that show alerts: signed uploads, checks, safekeeping."""

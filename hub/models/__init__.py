"""Models for devices: kept here, rolled out in stages, stopped when one device fails."""

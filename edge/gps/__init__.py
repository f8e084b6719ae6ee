"""From bytes to fixes: NMEA receivers, JT/T 808 terminals; which fixes to trust. WGS-84."""

"""Proof that a case was really dealt with: photos judged, the look again, the visit, the watch."""

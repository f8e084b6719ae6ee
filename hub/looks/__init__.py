"""The look again: a camera is asked whether a thing is still there; alerts and cases keep it."""

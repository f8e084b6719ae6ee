"""The live view: pictures of a camera for those who look now, kept nowhere."""

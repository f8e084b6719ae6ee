"""Devices and their cameras: there or not, what they are, what they see."""

"""From a source to timed frames: every kind of camera, its losses and its health."""

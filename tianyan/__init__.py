"""The command line and the demo: the only place that imports both edge and hub."""

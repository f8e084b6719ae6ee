"""From labelled pictures to a model folder the edge can open: training, export, comparison."""

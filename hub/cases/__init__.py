"""Cases: the table of states, who may move them, what is told of them."""

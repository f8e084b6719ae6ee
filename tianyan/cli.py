"""The command line: `tianyan VERB …`, the only place that may import both edge and hub."""


def main() -> int:
    return 2

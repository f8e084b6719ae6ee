"""The version of the contract; a breaking change is a new tree of topics (`ty/v2`)."""

VERSION = 1

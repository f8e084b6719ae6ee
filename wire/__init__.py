"""What edge and hub agree on: messages, topics, codec, version. Nothing else may be shared."""

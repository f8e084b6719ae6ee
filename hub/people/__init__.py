"""People: passwords, sessions, API keys, posts; who may come in and as what."""

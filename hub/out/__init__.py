"""What goes out of the hub: webhooks, messages, a calendar of deadlines."""

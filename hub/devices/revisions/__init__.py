"""What the hub wants devices to run with: numbered revisions, sent, answered, rolled back."""

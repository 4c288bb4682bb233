"""What changes an attribute or a frozen layer during training."""

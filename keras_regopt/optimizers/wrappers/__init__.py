"""What holds an optimizer and acts around its step."""

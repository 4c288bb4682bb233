"""What changes gradients or updates before or after a step."""

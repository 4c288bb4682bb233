"""What is written into the logs beside Keras' metrics."""

"""What is written into the logs besides Keras' metrics."""

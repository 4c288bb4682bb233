"""Pure functions of images, boxes and matrices, without layers."""

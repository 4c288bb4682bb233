"""Pure functions of token ids and of strings, without layers."""

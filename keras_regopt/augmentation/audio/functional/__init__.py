"""Pure functions of signals and spectra, without layers."""

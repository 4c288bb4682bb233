"""Pure functions of waveforms and spectrograms, without layers."""

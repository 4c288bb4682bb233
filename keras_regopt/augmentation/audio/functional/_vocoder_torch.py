"""The vocoder in the operations of torch, where nothing would fuse Keras'."""

from keras_regopt.augmentation.audio.functional._frames import HOPS
from keras_regopt.augmentation.audio.functional._phasors import (
    LOCKING,
    NOTHING,
    ONSET,
    ONSET_WEIGHT,
)


def stretched(signals, starts, windows, channels, finer, keep):
    """All windows at once, but for the loop over the rotations.

    Args:
        signals: Tensor of shape `(rows, samples)`, with padding.
        starts: Integer tensor of shape `(count, rows)`.
        windows: The windows of the input and of the output, NumPy arrays.
        channels: How many rows belong to one clip.
        finer: How many samples of the output there are for one of the input.
        keep: `None`, or a tensor by which the spectra are multiplied.

    Returns:
        A tensor of shape `(rows, samples)`.
    """
    import torch

    coming, going = (
        torch.from_numpy(window).to(signals.device) for window in windows
    )
    size = len(coming)
    hop = size // HOPS
    rows = torch.arange(len(signals), device=signals.device)
    both = signals.unfold(1, size + hop, 1)[rows, starts]
    now = torch.fft.rfft(both[..., hop:] * coming)
    before = torch.fft.rfft(both[..., :size] * coming)
    rotations = _rotations(*_pull(now, before, channels))
    now *= rotations.repeat_interleave(channels, dim=1)
    if keep is not None:
        now *= keep
    if finer > 1:
        # The last bin stands for two frequencies, which now are two bins.
        now[..., -1] *= 0.5
    pieces = torch.fft.irfft(now, n=finer * size).mul_(going)
    return _overlap_added(pieces, finer * hop)


def _pull(now, before, channels):
    """See `_phasors.pull`; here for all windows but the first."""
    import torch

    energy, past = (_energy(spectrum, channels) for spectrum in (now, before))
    gained = _summed(before[1:].conj() * now[:-1], channels)
    both = (energy[1:] * energy[:-1]).add_(NOTHING**2)
    gained *= both.rsqrt_().mul_(energy[1:])
    fresh = torch.sub(energy[1:], past[1:], alpha=ONSET).relu_()
    return gained, fresh.mul_(ONSET_WEIGHT)


def _rotations(gained, fresh):
    """See `_phasors.followed`; a complex tensor for all windows."""
    import torch

    count, rows, bins = gained.shape
    rotations = gained.new_ones((count + 1, rows, bins))
    reach = len(LOCKING) - 1
    wide = gained.new_zeros((rows, bins + 2 * reach))
    drawn = wide[:, reach : reach + bins]
    total = torch.empty_like(gained[0])
    for number in range(count):
        torch.mul(rotations[number], gained[number], out=drawn)
        drawn += fresh[number]
        torch.mul(drawn, LOCKING[0], out=total)
        for distance, weight in enumerate(LOCKING[1:], 1):
            for first in (reach - distance, reach + distance):
                total.add_(wide[:, first : first + bins], alpha=weight)
        total += NOTHING
        torch.sgn(total, out=rotations[number + 1])
    return rotations


def _overlap_added(pieces, hop):
    """Adds pieces up, each one hop behind the one before."""
    count, rows, size = pieces.shape
    hops = size // hop
    total = pieces.new_zeros((rows, count + hops - 1, hop))
    parts = pieces.reshape(count, rows, hops, hop)
    for number in range(hops):
        total[:, number : number + count] += parts[:, :, number].transpose(0, 1)
    return total.reshape(rows, -1)


def _energy(spectrum, channels):
    real, imaginary = spectrum.real, spectrum.imag
    energy = real.square().addcmul_(imaginary, imaginary)
    return _summed(energy, channels)


def _summed(x, channels):
    if channels == 1:
        return x
    return x.unflatten(1, (-1, channels)).sum(dim=2)

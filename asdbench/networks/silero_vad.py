"""The voice activity detector of silero-vad (MIT), 16 kHz, with the keys of the weights that its wheel ships.

The package itself runs it as TorchScript, whose loader torch has deprecated, one window at a time, and sets the number
of torch's threads for the whole process when it is imported. This is the same network without that.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

WINDOW = 512
"""Samples per probability: 32 ms."""

_CONTEXT = 64  # samples before a window that its spectra also see
_FFT = 256
_HOP = 128
_BINS = _FFT // 2 + 1


class SileroVAD(nn.Module):
    """Four spectra per window, four convolutions that make one vector of them, an LSTM cell from window to window."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _BINS, _FFT, stride=_HOP, bias=False)
        self.conv1 = nn.Conv1d(_BINS, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, samples: Tensor) -> Tensor:
        """Return ``[W]`` log-odds that there is speech in each window of 512 samples.

        Args:
            samples: ``[N]`` float32 in [-1, 1] at 16 kHz, N at least 1; zeros fill the last window. The state starts
                anew.
        """
        windows = -(-len(samples) // WINDOW)
        padded = nn.functional.pad(samples, (_CONTEXT, windows * WINDOW - len(samples)))
        spectra = self._spectra(padded.unfold(0, _CONTEXT + WINDOW, WINDOW))
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            spectra = convolution(spectra).relu()
        hidden = self._over_time(spectra.squeeze(2))
        logits: Tensor = self.final_conv(hidden.relu().unsqueeze(2))
        return logits.flatten()

    def _spectra(self, windows: Tensor) -> Tensor:
        """Return magnitudes ``[W, 129, 4]`` of windows ``[W, 576]``."""
        mirrored = nn.functional.pad(windows, (0, _CONTEXT), mode="reflect")
        parts = self.stft_conv(mirrored.unsqueeze(1))
        magnitudes: Tensor = (parts[:, :_BINS] ** 2 + parts[:, _BINS:] ** 2).sqrt()
        return magnitudes

    def _over_time(self, inputs: Tensor) -> Tensor:
        state, hidden = None, []
        for window in range(len(inputs)):
            state = self.lstm_cell(inputs[window : window + 1], state)
            hidden.append(state[0])
        return torch.cat(hidden)

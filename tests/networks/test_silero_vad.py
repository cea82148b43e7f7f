"""Our voice activity detector against the TorchScript that silero-vad itself runs."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from asdbench.networks.silero_vad import WINDOW, SileroVAD

CONVOLUTIONS = ("conv1", "conv2", "conv3", "conv4")


def official_key(key: str) -> str:
    module, _, rest = key.partition(".")
    if module in CONVOLUTIONS:
        return f"encoder.{CONVOLUTIONS.index(module)}.reparam_conv.{rest}"
    return {
        "stft_conv": "stft.forward_basis_buffer",
        "lstm_cell": f"decoder.rnn.{rest}",
        "final_conv": f"decoder.decoder.2.{rest}",
    }[module]


@pytest.fixture(scope="module")
def official() -> torch.jit.ScriptModule:
    spec = find_spec("silero_vad")
    if spec is None or spec.origin is None:
        pytest.skip("silero-vad is not installed; pip install 'asdbench[vad]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.load(Path(spec.origin).parent / "data" / "silero_vad.jit")


@pytest.fixture(scope="module")
def network(official: torch.jit.ScriptModule) -> SileroVAD:
    network, state = SileroVAD().eval(), official._model.state_dict()
    network.load_state_dict({key: state[official_key(key)] for key in network.state_dict()})
    return network


def sound(samples: int) -> torch.Tensor:
    """A buzz that comes and goes, with noise: some windows are voiced, some not."""
    torch.manual_seed(1)
    times = torch.arange(samples) / 16_000
    buzz = sum(torch.sin(2 * torch.pi * 140 * k * times) / k for k in range(1, 12)) * (torch.sin(15 * times) > 0)
    return 0.1 * buzz + 0.01 * torch.randn(samples)


@pytest.mark.parametrize("samples", [1, WINDOW - 1, WINDOW, 12 * WINDOW + 7])
@torch.inference_mode()
def test_probabilities_are_those_of_the_official_code(official, network, samples):
    heard = sound(samples)
    padded = torch.nn.functional.pad(heard, (0, -samples % WINDOW))
    official.reset_states()
    wanted = torch.cat([official(window, 16_000) for window in padded.split(WINDOW)]).flatten()
    torch.testing.assert_close(network(heard).sigmoid(), wanted, rtol=0, atol=1e-5)
    if len(wanted) > 1:
        assert wanted.max() - wanted.min() > 0.05


@torch.inference_mode()
def test_the_state_starts_anew(network):
    first, _ = network(sound(3000)), network(sound(9000))
    torch.testing.assert_close(network(sound(3000)), first, rtol=0, atol=0)

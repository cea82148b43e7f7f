from __future__ import annotations

import pytest
import torch

from asdbench.devices import choose_device, describe_device
from asdbench.errors import ResourceError, UsageError


def test_cpu_and_auto():
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") == ("cuda:0" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["toaster", "cuda:x", "cpu:1", "", "meta"])
def test_what_is_no_device_is_refused(name):
    with pytest.raises(UsageError, match="expected auto, cpu"):
        choose_device(name)


def test_a_device_beyond_those_present():
    with pytest.raises(ResourceError, match="use --device cpu"):
        choose_device(f"cuda:{torch.cuda.device_count()}")


def test_description_names_threads():
    assert describe_device("cpu")["threads"] == torch.get_num_threads()
